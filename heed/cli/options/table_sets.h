// What commands for tables of numbers and categories have in common.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/cli/common.h"
#include "heed/cli/options/task_sets.h"
#include "heed/data/tables/table_data.h"

namespace heed::cli {

// --row of `heed attend`; 0: it was not said.
struct RowOption {
  int64_t row = 0;

  void add_to(Options& options);
};

// Reads tables, and says on the messages what was left out. `table`: of its options those that
// add_table_options() adds. Throws as data::read_table does, DataError for what that reports.
data::TableData read_tables(const std::vector<std::string>& files, data::TableReadOptions options,
                            const ReadingOptions& table, const TimedRows& rows);

// The same without the rows that cannot be used, which `report` has then.
data::TableData read_good_rows(const std::vector<std::string>& files,
                               data::TableReadOptions options, const ReadingOptions& table,
                               const TimedRows& rows, data::DataReport& report);

}  // namespace heed::cli
