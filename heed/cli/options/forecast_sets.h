// The options that commands for time series have in common.
#pragma once

#include <string>
#include <vector>

#include "heed/cli/common.h"
#include "heed/cli/options/task_sets.h"
#include "heed/data/series/series_data.h"

namespace heed::cli {

// Which columns a table of series has.
struct SeriesReading {
  data::SeriesReadOptions options;

  void add_to(Options& command);

  // Reads a file, and says on the messages what was filled, added or left out. `table`: of its
  // options those that add_table_options() adds. Throws as data::read_series does, DataError for
  // what that reports.
  data::SeriesData read(const std::string& file, const ReadingOptions& table,
                        const TimedRows& rows) const;

  // The same without the rows that cannot be used, which `report` has then.
  data::SeriesData read_good_rows(const std::string& file, const ReadingOptions& table,
                                  const TimedRows& rows, data::DataReport& report) const;
};

}  // namespace heed::cli
