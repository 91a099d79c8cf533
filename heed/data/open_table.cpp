#include "heed/data/open_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "heed/base/error.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

// The first of these that stands outside quotes.
char delimiter_in(std::string_view line) {
  std::string plain;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (!quoted) plain += c;
  }
  for (const char c : {'\t', ';', ',', '|'}) {
    if (plain.find(c) != std::string::npos) return c;
  }
  return ' ';
}

// As every reader tells it; of what others take for words or lines, by the first row.
char delimiter_of(const FileLayout& found, std::string_view first) {
  const bool is_table = found.format == Format::kTsv || found.format == Format::kCsv;
  return is_table && first.find(found.delimiter) != first.npos ? found.delimiter
                                                               : delimiter_in(first);
}

bool has_control(std::string_view name) {
  return std::any_of(name.begin(), name.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

}  // namespace

OpenTable::OpenTable(const std::filesystem::path& file, const OpenTableOptions& options,
                     DataReport& report)
    : lines_(file, {.encoding = options.encoding, .limits = options.limits}, report),
      skip_bad_(options.skip_bad) {
  const FileLayout found = lines_.kind(Format::kAuto);
  if (found.format == Format::kJson || found.format == Format::kJsonl) {
    throw DataError(lines_.file(), "expected a table (CSV, TSV …), found JSON");
  }
  const std::string_view head = lines_.reader().peek(size_t{64} << 10);
  const char delimiter = options.delimiter != '\0'
                             ? options.delimiter
                             : delimiter_of(found, head.substr(0, head.find('\n')));
  kind_ = {.format = delimiter == '\t' ? Format::kTsv : Format::kCsv, .delimiter = delimiter};
  rows_ = rows_of(lines_, kind_);
  is_empty_ = !rows_->next(first_);
  if (is_empty_) {
    report.add(ProblemKind::kNoExamples, lines_.file(), 0, "expected rows, found none");
  }
}

bool OpenTable::next(Row& row) {
  while (true) {
    if (waiting_) {
      row = first_;
      waiting_ = false;
    } else if (!rows_->next(row)) {
      return false;
    }
    if (row.cells.size() == first_.cells.size()) return true;
    bad(row, text_of("expected ", first_.cells.size(), " columns, found ", row.cells.size()),
        ProblemKind::kColumnCount);
  }
}

void OpenTable::bad(const Row& row, const std::string& detail, ProblemKind kind) {
  if (skip_bad_) {
    ++left_out_;
  } else {
    lines_.report(kind, row.line, detail);
  }
}

std::string_view OpenTable::name(const Row& row, size_t column, std::string_view what) {
  const std::string_view cell = trimmed(row.cells[column]);
  if (!cell.empty() && !has_control(cell)) return cell;
  bad(row, cell.empty() ? text_of("column ", column + 1, ": expected ", what, ", found nothing")
                        : text_of("column ", column + 1, ": expected ", what,
                                  " without tabs and line breaks, found ", excerpt(cell, 40)));
  return {};
}

std::optional<double> finite_number(std::string_view cell) {
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (cell.empty() || error != std::errc() || end != cell.data() + cell.size()) return {};
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

bool is_among(std::string_view cell, std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), lower_case_of(trimmed(cell))) != names.end();
}

}  // namespace heed::data
