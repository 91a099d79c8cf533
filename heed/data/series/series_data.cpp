#include "heed/data/series/series_data.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>

#include "heed/base/error.h"
#include "heed/data/rows.h"
#include "heed/data/series/series_columns.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

// The rows as they were read: a time and a value for each series, missing ones NaN.
struct Table {
  std::vector<int64_t> times;  // empty: no column of times
  std::vector<std::vector<float>> rows;
  std::vector<int64_t> lines;
};

class SeriesReader {
 public:
  SeriesReader(TextLines& lines, const SeriesReadOptions& options, SeriesData& data)
      : lines_(lines), options_(options), data_(data) {}

  void read(RowReader& rows, const Row& first, const SeriesColumns& columns) {
    columns_ = columns;
    if (!columns.is_long()) data_.names = columns.names;
    if (!columns.header) add(first);
    for (Row row; rows.next(row);) add(row);
  }

  // One row is the series itself.
  void read_line(const Row& row) {
    data_.names = {"value"};
    for (size_t i = 0; i < row.cells.size(); ++i) {
      float value = 0;
      if (!number(row, i, value)) continue;
      table_.rows.push_back({value});
      table_.lines.push_back(row.line);
    }
  }

  // Of a long table, after its last row.
  void put_together() {
    lines_.count(by_time_.size() * data_.names.size() * sizeof(float));
    for (auto& [time, values] : by_time_) {
      values.resize(data_.names.size(), kMissing);
      push(0, time, std::move(values));
    }
  }

  // Adds rows at the times that are missing between others. A row between the even times is a bad
  // one.
  void even_out();

  Table take() { return std::move(table_); }

 private:
  void add(const Row& row) {
    if (row.cells.size() != columns_.count) {
      bad(ProblemKind::kColumnCount, row.line,
          text_of("expected ", columns_.count, " columns, found ", row.cells.size()));
      return;
    }
    int64_t time = 0;
    if (columns_.time && !time_at(row, time)) return;
    columns_.is_long() ? add_long(row, time) : add_wide(row, time);
  }

  void add_wide(const Row& row, int64_t time) {
    std::vector<float> values(columns_.values.size());
    for (size_t s = 0; s < values.size(); ++s) {
      if (!number(row, columns_.values[s], values[s])) return;
    }
    if (!rises(row.line, time)) return;
    push(row.line, time, std::move(values));
  }

  // Rows of one time may stand anywhere in a long table; they are put together in order of time.
  void add_long(const Row& row, int64_t time) {
    float value = 0;
    if (!number(row, *columns_.value, value)) return;
    const std::string& name = row.cells[*columns_.series];
    const auto found = std::find(data_.names.begin(), data_.names.end(), name);
    const auto series = static_cast<size_t>(found - data_.names.begin());
    if (found == data_.names.end()) data_.names.push_back(name);
    auto& values = by_time_[time];
    if (values.size() <= series) {
      lines_.count((series + 1 - values.size()) * sizeof(float));
      values.resize(series + 1, kMissing);
    }
    if (!std::isnan(values[series])) {
      bad(ProblemKind::kMalformedRow, row.line,
          text_of("series ", excerpt(name, 40), " has a second value at ",
                  data_.time_format->print(time)));
      return;
    }
    values[series] = value;
  }

  bool rises(int64_t line, int64_t time) {
    if (!columns_.time || table_.times.empty() || time > table_.times.back()) return true;
    bad(ProblemKind::kMalformedRow, line,
        text_of("expected a time after ", data_.time_format->print(table_.times.back()), ", found ",
                data_.time_format->print(time), "; sort the rows by time"));
    return false;
  }

  bool time_at(const Row& row, int64_t& time) {
    const std::string cell(trimmed(row.cells[*columns_.time]));
    if (!data_.time_format) data_.time_format = TimeFormat::of(cell);
    const auto parsed = data_.time_format ? data_.time_format->parse(cell) : std::nullopt;
    if (!parsed) {
      bad(ProblemKind::kMalformedRow, row.line,
          text_of("expected ",
                  data_.time_format ? data_.time_format->described()
                                    : "a time such as 2016-07-31 or 2016-07-31 13:00",
                  ", found ", excerpt(cell, 40)));
      return false;
    }
    time = *parsed;
    return true;
  }

  bool number(const Row& row, size_t column, float& value) {
    const std::string_view cell = trimmed(row.cells[column]);
    if (is_missing(cell)) {
      value = kMissing;
      return true;
    }
    const auto parsed = number_in(cell);
    if (parsed && std::isfinite(*parsed)) {
      value = *parsed;
      return true;
    }
    bad(ProblemKind::kMalformedRow, row.line,
        text_of("column ", column + 1, ": expected a finite number, found ", excerpt(cell, 40)));
    return false;
  }

  void bad(ProblemKind kind, int64_t line, const std::string& detail) {
    if (options_.skip_bad) {
      ++data_.left_out;
    } else {
      lines_.report(kind, line, detail);
    }
  }

  void push(int64_t line, int64_t time, std::vector<float> values) {
    if (columns_.time) table_.times.push_back(time);
    table_.rows.push_back(std::move(values));
    table_.lines.push_back(line);
  }
  TextLines& lines_;
  const SeriesReadOptions& options_;
  SeriesData& data_;
  SeriesColumns columns_;
  Table table_;
  std::map<int64_t, std::vector<float>> by_time_;
};

void SeriesReader::even_out() {
  const std::vector<int64_t>& times = table_.times;
  if (times.size() < 2) return;
  data_.step = step_of(times, *data_.time_format);
  std::vector<std::vector<float>> even;
  for (size_t i = 0; i < times.size(); ++i) {
    const auto place = data_.step.between(times[0], times[i]);
    if (!place) {
      bad(ProblemKind::kMalformedRow, table_.lines[i],
          text_of("the time ", data_.time_format->print(times[i]),
                  " does not stand on the grid that begins at ", data_.time_format->print(times[0]),
                  " and whose commonest next time is ",
                  data_.time_format->print(data_.step.after(times[0], 1)),
                  "; bring the series to even times first"));
      continue;
    }
    if (static_cast<size_t>(*place) > 100 * times.size() + 1000) {
      throw DataError(data_.file, text_of("the times leave out more than 99 of 100 rows before ",
                                          data_.time_format->print(times[i])));
    }
    const auto missing = static_cast<size_t>(*place) - even.size();
    lines_.count(missing * (sizeof(table_.rows[i]) + data_.names.size() * sizeof(float)));
    while (std::ssize(even) < *place) {
      even.emplace_back(data_.names.size(), kMissing);
      ++data_.added_rows;
    }
    even.push_back(std::move(table_.rows[i]));
  }
  table_.rows = std::move(even);
}

// Fills what is missing and lays the rows out one after the other; those of none where a series has
// no value.
void fill(const Table& table, TextLines& lines, SeriesData& data) {
  const size_t count = data.names.size();
  lines.count(table.rows.size() * count * sizeof(float));
  data.values.resize(table.rows.size() * count);
  data.known.resize(count);
  for (size_t s = 0; s < count; ++s) {
    const auto there = std::find_if(table.rows.begin(), table.rows.end(),
                                    [s](const auto& row) { return !std::isnan(row[s]); });
    if (there == table.rows.end()) {
      lines.report(ProblemKind::kNoExamples, 0,
                   text_of("series ", excerpt(data.names[s], 40), " has no value at all"));
      data.values.clear();
      return;
    }
    float last = (*there)[s];
    for (size_t t = 0; t < table.rows.size(); ++t) {
      const float value = table.rows[t][s];
      if (std::isnan(value)) {
        ++data.filled;
      } else {
        last = value;
        data.known[s] = static_cast<int64_t>(t) + 1;
      }
      data.values[t * count + s] = last;
    }
  }
}

// A tab, a semicolon or a comma, whichever the line has; else white space.
char delimiter_of_series(std::string_view line) {
  for (const char c : {'\t', ';', ',', '|'}) {
    if (line.find(c) != std::string_view::npos) return c;
  }
  return ' ';
}

}  // namespace

std::string SeriesData::time_of(int64_t row) const {
  return time_format ? time_format->print(step.after(first_time, row)) : std::to_string(row + 1);
}

SeriesData read_series(const std::filesystem::path& file, const SeriesReadOptions& options,
                       DataReport& report) {
  TextLines lines(file, {.encoding = options.encoding, .limits = options.limits}, report);
  SeriesData data;
  data.file = lines.file();
  const std::string_view head = lines.reader().peek(size_t{64} << 10);
  const std::string_view first_line = head.substr(0, head.find('\n'));
  const bool one_line = trimmed(head.substr(first_line.size())).empty();
  const char delimiter =
      options.delimiter != '\0' ? options.delimiter : delimiter_of_series(first_line);
  const std::unique_ptr<RowReader> rows = rows_of(
      lines, {.format = delimiter == '\t' ? Format::kTsv : Format::kCsv, .delimiter = delimiter});
  Row first;
  if (!rows->next(first)) {
    report.add(ProblemKind::kNoExamples, data.file, 0, "expected rows of numbers, found none");
    return data;
  }
  SeriesReader reader(lines, options, data);
  if (one_line && std::all_of(first.cells.begin(), first.cells.end(), is_value)) {
    reader.read_line(first);
  } else {
    const SeriesColumns columns = series_columns(first, options, data.file);
    if (columns.time && columns.header) data.time_column = first.cells[*columns.time];
    reader.read(*rows, first, columns);
    if (columns.is_long()) reader.put_together();
  }
  reader.even_out();
  const Table table = reader.take();
  if (table.rows.empty()) {
    lines.report(ProblemKind::kNoExamples, 0, "expected rows of numbers, found none");
    return data;
  }
  if (!table.times.empty()) data.first_time = table.times[0];
  fill(table, lines, data);
  return data;
}

}  // namespace heed::data
