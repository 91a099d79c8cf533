#include "heed/cli/options/forecast_sets.h"

namespace heed::cli {

void SeriesReading::add_to(Options& command) {
  const std::string group = "Reading data";
  command.add("--series", options.columns, "Columns to read, by name or number; without: all")
      .separated_by(',')
      .group(group);
  command
      .add("--series-column", options.series_column,
           "Of a long table, a row for each time of each series: the column of their names")
      .group(group);
  command.add("--value-column", options.value_column, "Of a long table: the column of the values")
      .group(group);
}

data::SeriesData SeriesReading::read(const std::string& file, const ReadingOptions& table,
                                     const TimedRows& rows) const {
  data::DataReport report;
  data::SeriesData data = read_good_rows(file, table, rows, report);
  throw_or_warn(report);
  return data;
}

data::SeriesData SeriesReading::read_good_rows(const std::string& file, const ReadingOptions& table,
                                               const TimedRows& rows,
                                               data::DataReport& report) const {
  const data::ReadOptions file_options = table.parsed();
  data::SeriesReadOptions reading = options;
  reading.encoding = file_options.encoding;
  reading.delimiter = file_options.delimiter;
  reading.limits = file_options.limits;
  reading.time_column = rows.time_column;
  reading.skip_bad = rows.skip_bad;
  data::SeriesData data = data::read_series(file, reading, report);
  say_count(data.file, data.left_out, kRowsLeftOut);
  say_count(data.file, data.added_rows, "times were missing between others and were added");
  say_count(data.file, data.filled, "missing values were filled with those before them");
  return data;
}

}  // namespace heed::cli
