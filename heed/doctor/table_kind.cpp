// Tables: a class or a number of each row, told from its other columns.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/data/tables/table_data.h"
#include "heed/doctor/data_kind.h"
#include "heed/doctor/telling_columns.h"
#include "heed/io/utf8.h"

namespace heed::doctor {
namespace {

using data::TableColumn;
using data::TableData;

constexpr double kManyMissing = 0.5;  // of a column's cells

bool is_gap(const TableColumn& column, size_t row) {
  return column.is_category ? column.categories[row] < 0 : std::isnan(column.numbers[row]);
}

std::string cell_of(const TableColumn& column, size_t row) {
  if (is_gap(column, row)) return "";
  return column.is_category ? column.names[static_cast<size_t>(column.categories[row])]
                            : formatted("%.17g", column.numbers[row]);
}

// A split as it was read, and as samples: the cells beside the target, which is the label.
Split row_samples(const std::string& name, const TableData& table, const Data& data) {
  Split split{.name = name};
  for (size_t row = 0; row < static_cast<size_t>(table.rows()); ++row) {
    Sample& sample = split.samples.emplace_back();
    for (const TableColumn& column : table.columns) {
      sample.text += cell_of(column, row) + '\x1f';
    }
    if (!data.labels.empty()) sample.labels = {table.target->categories[row]};
    const TableData::Place& place = table.places[row];
    sample.file = file_index(split, table.files[static_cast<size_t>(place.file)]);
    sample.line = place.line;
  }
  return split;
}

data::TableReadOptions table_options(const DataToCheck& asked) {
  return {.table = asked.table(), .target = asked.target};
}

void check_gaps(const std::vector<std::string>& names, const std::vector<TableData>& tables,
                Report& report) {
  for (size_t s = 0; s < tables.size(); ++s) {
    for (const TableColumn& column : tables[s].columns) {
      int64_t gaps = 0;
      for (size_t row = 0; row < static_cast<size_t>(tables[s].rows()); ++row) {
        gaps += is_gap(column, row) ? 1 : 0;
      }
      if (gaps == 0) continue;
      const bool many =
          static_cast<double>(gaps) > kManyMissing * static_cast<double>(tables[s].rows());
      report.numbers["missing"][names[s]][column.name] = gaps;
      report.add({.check = "missing values",
                  .severity = many ? Severity::kWarning : Severity::kNote,
                  .summary = text_of(names[s], ", ", excerpt(column.name), ": missing in ",
                                     share_text(gaps, tables[s].rows(), "rows")),
                  .advice = many ? "look where it comes from; a column that is mostly missing may "
                                   "tell who filled it in"
                                 : ""});
    }
  }
}

void check_new_categories(const std::vector<std::string>& names,
                          const std::vector<TableData>& tables, Report& report) {
  report.made("new categories");
  for (size_t s = 1; s < tables.size(); ++s) {
    for (size_t c = 0; c < tables[s].columns.size(); ++c) {
      const TableColumn& column = tables[s].columns[c];
      const std::vector<std::string>& known = tables[0].columns[c].names;
      if (!column.is_category) continue;
      int64_t rows = 0;
      std::vector<std::string> examples;
      for (size_t row = 0; row < static_cast<size_t>(tables[s].rows()); ++row) {
        const std::string cell = cell_of(column, row);
        if (cell.empty() || std::find(known.begin(), known.end(), cell) != known.end()) continue;
        ++rows;
        if (examples.size() < kExamples) {
          examples.push_back(tables[s].where(static_cast<int64_t>(row)) + ": " + excerpt(cell));
        }
      }
      if (rows == 0) continue;
      report.add({.check = "new categories",
                  .severity = Severity::kWarning,
                  .summary = text_of(names[s], ", ", excerpt(column.name), ": ",
                                     share_text(rows, tables[s].rows(), "rows"),
                                     " hold a category that training does not have"),
                  .advice = "they count as missing; look for another spelling, or gather examples",
                  .examples = std::move(examples)});
    }
  }
}

void check_telling(const TableData& train, Report& report) {
  report.made("columns that tell");
  for (const TellingColumn& each : telling_columns(train)) {
    report.add({.check = "columns that tell",
                .severity = Severity::kWarning,
                .summary = text_of(
                    excerpt(each.name), " tells ", excerpt(train.target->name),
                    formatted(" by itself (%.1f %% of what there is to tell)", 100 * each.share)),
                .advice = "leave it out (--ignore) unless it is known before what is to be told: a "
                          "model learns nothing else beside it"});
  }
}

void check_tables(const DataToCheck& asked, Report& report) {
  Data data;
  std::vector<TableData> tables;
  std::vector<std::string> names;
  data::TableReadOptions options = table_options(asked);
  for (const SplitFiles& files : asked.splits) {
    tables.push_back(data::read_table(files.files, options, data.reading));
    names.push_back(files.name);
    if (tables.size() > 1 || !tables[0].target) continue;
    if (tables[0].target->is_category) data.labels = tables[0].target->names;
    options = data::options_like(tables[0], options);
  }
  for (size_t s = 0; s < tables.size(); ++s) {
    data.splits.push_back(row_samples(names[s], tables[s], data));
  }
  begin_report(data, report);
  if (tables[0].rows() == 0) return;
  report.made("columns");
  for (const std::string& note : tables[0].notes) {
    report.add({.check = "columns", .severity = Severity::kNote, .summary = note});
  }
  check_gaps(names, tables, report);
  check_new_categories(names, tables, report);
  check_duplicates(data, report, {.one = "row", .many = "rows", .words = false});
  check_balance(data, report);
  check_telling(tables[0], report);
}

}  // namespace

DataKind tables_kind() {
  return {.task = "table",
          .is = [](const DataToCheck& asked) { return !asked.target.empty(); },
          .check = check_tables};
}

}  // namespace heed::doctor
