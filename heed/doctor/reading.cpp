// What the readers refused, and what the columns of tables hold.
#include "heed/base/error.h"
#include "heed/doctor/checks.h"
#include "heed/doctor/tables.h"
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
    case ProblemKind::kOneClass:
      return "labels";
    case ProblemKind::kAnswerPlace:
      return "answers";
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

Table read_table(const std::filesystem::path& file, const data::ReadOptions& options) {
  Table table;
  for_each_row(file, options, [&](const std::vector<std::string>& names, const data::Row& row) {
    table.columns.resize(names.size());
    for (size_t i = 0; i < names.size(); ++i) {
      Column& column = table.columns[i];
      if (table.rows == 0) column = {.name = names[i], .first = row.cells[i]};
      column.constant = column.constant && row.cells[i] == column.first;
      if (trimmed(row.cells[i]).empty()) ++column.empty;
    }
    ++table.rows;
  });
  return table;
}

}  // namespace

void check_reading(const Data& data, Report& report) {
  for (const char* check : {"encoding", "rows", "missing values", "labels"}) report.made(check);
  for (int i = 0; i < data::kProblemKinds; ++i) {
    const auto kind = static_cast<ProblemKind>(i);
    const int64_t count = data.reading.count(kind);
    if (count == 0) continue;
    const bool fatal = data::severity_of(kind) == data::ProblemSeverity::kFatal;
    Finding finding{
        .check = check_of(kind),
        .severity = fatal ? Severity::kStop : Severity::kWarning,
        .summary = text_of(data::name_of(kind), " in ", count, count == 1 ? " place" : " places")};
    finding.advice = fatal ? "heed train refuses these rows; mend or remove them"
                           : "these rows are left out, or taken as the message says";
    for (const data::DataProblem& problem : data.reading.examples(kind)) {
      finding.examples.push_back(problem.where + ": " + problem.detail);
    }
    report.add(std::move(finding));
  }
}

void check_columns(const std::vector<SplitFiles>& splits, const data::ReadOptions& options,
                   Report& report) {
  report.made("columns");
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
