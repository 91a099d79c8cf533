#include "heed/data/series/series_columns.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

constexpr std::array<std::string_view, 8> kTimeNames = {"date", "time",  "datetime", "timestamp",
                                                        "ds",   "month", "day",      "year"};
constexpr std::array<std::string_view, 9> kMissingWords = {"",     "na", "n/a", "nan", "null",
                                                           "none", "-",  "?",   "."};

bool among(std::string_view cell, std::span<const std::string_view> words) {
  const std::string lower = lower_case_of(trimmed(cell));
  return std::find(words.begin(), words.end(), lower) != words.end();
}

// A column by its name or by its number from 1.
size_t column_named(const std::string& name, const Row& first, bool header, std::string_view option,
                    std::string_view file) {
  if (header) {
    const auto found = std::find(first.cells.begin(), first.cells.end(), name);
    if (found != first.cells.end()) return static_cast<size_t>(found - first.cells.begin());
  }
  size_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error == std::errc() && end == name.data() + name.size() && number >= 1 &&
      number <= first.cells.size()) {
    return number - 1;
  }
  throw UsageError(text_of(
      option, ": ", file, " has no column ", excerpt(name, 40), "; it has ",
      header ? joined(first.cells) : text_of(first.cells.size(), " columns without names")));
}

std::optional<size_t> time_column(const Row& first, const SeriesReadOptions& options, bool header,
                                  std::string_view file) {
  if (options.time_column == "none") return {};
  if (!options.time_column.empty()) {
    return column_named(options.time_column, first, header, "--time-column", file);
  }
  for (size_t i = 0; i < first.cells.size(); ++i) {
    const std::string_view cell = trimmed(first.cells[i]);
    if (header ? among(cell, kTimeNames) : !is_value(cell) && TimeFormat::of(cell)) return i;
  }
  return {};
}

}  // namespace

std::optional<float> number_in(std::string_view cell) {
  if (cell.starts_with('+')) cell.remove_prefix(1);
  float value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error == std::errc::result_out_of_range) return std::numeric_limits<float>::infinity();
  if (cell.empty() || error != std::errc() || end != cell.data() + cell.size()) return {};
  return value;
}

bool is_missing(std::string_view cell) { return among(cell, kMissingWords); }

bool is_value(std::string_view cell) {
  return is_missing(cell) || number_in(trimmed(cell)).has_value();
}

SeriesColumns series_columns(const Row& first, const SeriesReadOptions& options,
                             std::string_view file) {
  check_usage(options.series_column.empty() == options.value_column.empty(),
              "--series-column and --value-column: a long table needs both");
  SeriesColumns columns;
  columns.count = first.cells.size();
  columns.header = std::any_of(first.cells.begin(), first.cells.end(), [](const auto& cell) {
    return !is_value(cell) && !TimeFormat::of(trimmed(cell));
  });
  columns.time = time_column(first, options, columns.header, file);
  if (!options.series_column.empty()) {
    columns.series =
        column_named(options.series_column, first, columns.header, "--series-column", file);
    columns.value =
        column_named(options.value_column, first, columns.header, "--value-column", file);
    check_usage(columns.time.has_value(),
                "--time-column: a long table needs a column of times, and none was found in ",
                file);
    return columns;
  }
  for (const std::string& name : options.columns) {
    columns.values.push_back(column_named(name, first, columns.header, "--series", file));
  }
  for (size_t i = 0; options.columns.empty() && i < columns.count; ++i) {
    if (i != columns.time) columns.values.push_back(i);
  }
  for (const size_t i : columns.values) {
    columns.names.push_back(columns.header ? first.cells[i] : text_of("column ", i + 1));
  }
  check_usage(!columns.values.empty(), file, ": expected a column of numbers beside the times");
  return columns;
}

}  // namespace heed::data
