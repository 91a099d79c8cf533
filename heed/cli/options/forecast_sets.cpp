#include "heed/cli/options/forecast_sets.h"

#include <iostream>

#include "heed/base/error.h"

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
  const data::ReadOptions file_options = table.parsed();
  data::SeriesReadOptions reading = options;
  reading.encoding = file_options.encoding;
  reading.delimiter = file_options.delimiter;
  reading.limits = file_options.limits;
  reading.time_column = rows.time_column;
  reading.skip_bad = rows.skip_bad;
  data::DataReport report;
  data::SeriesData data = data::read_series(file, reading, report);
  throw_or_warn(report);
  const auto say = [&](int64_t count, const std::string& what) {
    if (count > 0) std::cerr << "heed: " << data.file << ": " << count << what << '\n';
  };
  say(data.left_out, " rows left out, which cannot be used");
  say(data.added_rows, " times were missing between others and were added");
  say(data.filled, " missing values were filled with those before them");
  return data;
}

}  // namespace heed::cli
