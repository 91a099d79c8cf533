#include "heed/cli/options/table_sets.h"

#include <iostream>
#include <utility>

#include "heed/base/joined.h"
#include "heed/io/printable.h"

namespace heed::cli {

void RowOption::add_to(Options& options) {
  options
      .add("--row", row,
           "Of a table, whose file is the text: the row to show, from 1, the first one if 0; of "
           "series, the row that the forecast begins with, that of the last forecast which the "
           "file can tell if 0")
      .at_least(0);
}

data::TableData read_tables(const std::vector<std::string>& files, data::TableReadOptions options,
                            const ReadingOptions& table, const TimedRows& rows) {
  data::DataReport report;
  data::TableData data = read_good_rows(files, std::move(options), table, rows, report);
  throw_or_warn(report);
  return data;
}

data::TableData read_good_rows(const std::vector<std::string>& files,
                               data::TableReadOptions options, const ReadingOptions& table,
                               const TimedRows& rows, data::DataReport& report) {
  options.table = open_table_options(table, rows);
  data::TableData data = data::read_table(paths_of(files), options, report);
  const std::string names = joined(data.files);
  say_count(names, data.left_out, kRowsLeftOut);
  for (const std::string& note : data.notes) {
    std::cerr << "heed: " << names << ": " << printable(note) << '\n';
  }
  return data;
}

}  // namespace heed::cli
