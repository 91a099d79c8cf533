// What the readers refused, and what the columns of tables hold.
#include <map>
#include <set>

#include "heed/base/error.h"
#include "heed/data/rows.h"
#include "heed/doctor/checks.h"
#include "heed/io/utf8.h"

namespace heed::doctor {
namespace {

using data::ProblemKind;

const char* check_of(ProblemKind kind) {
  switch (kind) {
    case ProblemKind::kNotUtf8:
    case ProblemKind::kControlByte:
      return "encoding";
    case ProblemKind::kMissingText:
    case ProblemKind::kEmptyText:
    case ProblemKind::kMissingLabel:
      return "missing values";
    case ProblemKind::kUnknownLabel:
    case ProblemKind::kLookAlike:
      return "labels";
    default:
      return "rows";
  }
}

// A column, as long as all its cells are the same.
struct Column {
  std::string name;
  std::string first;
  bool constant = true;
  int64_t empty = 0;
};

struct Table {
  std::vector<Column> columns;
  int64_t rows = 0;
};

bool has_header(const data::Row& row, const data::ReadOptions& options) {
  if (options.header != data::Header::kAuto) return options.header == data::Header::kYes;
  const auto usual = [&](std::span<const std::string_view> names) {
    for (const std::string& cell : row.cells) {
      const std::string name = data::lower_case_of(data::trimmed(cell));
      if (std::find(names.begin(), names.end(), name) != names.end()) return true;
    }
    return false;
  };
  const auto chosen = [&](const std::string& name) {
    return !name.empty() && std::find(row.cells.begin(), row.cells.end(), name) != row.cells.end();
  };
  return usual(data::usual_text_names()) || usual(data::usual_source_names()) ||
         chosen(options.text_column) || chosen(options.label_column);
}

Table read_table(const std::filesystem::path& file, const data::ReadOptions& options) {
  data::DataReport ignored;  // check_reading has told it
  data::TextLines lines(file, {.encoding = options.encoding}, ignored);
  const data::FileKind kind = lines.kind(options.format, options.delimiter);
  Table table;
  if (kind.format != data::Format::kTsv && kind.format != data::Format::kCsv) return table;
  const auto rows = data::rows_of(lines, kind);
  data::Row row;
  if (!rows->next(row)) return table;
  const bool header = has_header(row, options);
  table.columns.resize(row.cells.size());
  for (size_t i = 0; i < row.cells.size(); ++i) {
    table.columns[i].name = header ? row.cells[i] : text_of("column ", i + 1);
  }
  for (bool more = header ? rows->next(row) : true; more; more = rows->next(row)) {
    if (row.cells.size() != table.columns.size()) continue;
    for (size_t i = 0; i < row.cells.size(); ++i) {
      Column& column = table.columns[i];
      if (table.rows == 0) column.first = row.cells[i];
      column.constant = column.constant && row.cells[i] == column.first;
      if (data::trimmed(row.cells[i]).empty()) ++column.empty;
    }
    ++table.rows;
  }
  return table;
}

}  // namespace

void check_reading(const Data& data, Report& report) {
  for (const char* check : {"encoding", "rows", "missing values", "labels"}) {
    report.checked.emplace_back(check);
  }
  for (int i = 0; i < data::kProblemKinds; ++i) {
    const auto kind = static_cast<ProblemKind>(i);
    const int64_t count = data.reading.count(kind);
    if (count == 0) continue;
    const bool fatal = data::severity_of(kind) == data::Severity::kFatal;
    Finding finding{
        .check = check_of(kind),
        .severity = fatal ? Severity::kStop : Severity::kWarning,
        .summary = text_of(data::name_of(kind), " in ", count, count == 1 ? " place" : " places")};
    finding.advice = fatal ? "heed train refuses these rows; mend or remove them"
                           : "these rows are left out, or taken as the message says";
    for (const data::Problem& problem : data.reading.examples(kind)) {
      finding.examples.push_back(problem.where + ": " + problem.detail);
    }
    report.add(std::move(finding));
  }
}

void check_columns(const std::vector<SplitFiles>& splits, const data::ReadOptions& options,
                   Report& report) {
  report.checked.emplace_back("columns");
  for (const SplitFiles& split : splits) {
    for (const std::filesystem::path& file : split.files) {
      if (file == "-") continue;
      const Table table = read_table(file, options);
      for (const Column& column : table.columns) {
        const auto where = text_of(file.string(), ", ", excerpt(column.name));
        if (table.rows > 1 && column.constant) {
          report.add(
              {.check = "columns",
               .severity = Severity::kNote,
               .summary = text_of(where, ": the same in all ", table.rows, " rows (",
                                  beginning(column.first), "); nothing can be learned of it")});
        } else if (column.empty > 0) {
          report.add(
              {.check = "columns",
               .severity = Severity::kNote,
               .summary = where + ": empty in " + share_text(column.empty, table.rows, "rows")});
        }
      }
    }
  }
}

}  // namespace heed::doctor
