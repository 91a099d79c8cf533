#include "heed/cli/options/table_sets.h"

#include <iostream>
#include <utility>

#include "heed/base/joined.h"
#include "heed/io/printable.h"

namespace heed::cli {

data::TableData read_tables(const std::vector<std::string>& files, data::TableReadOptions options,
                            const ReadingOptions& table, const TimedRows& rows) {
  const data::ReadOptions file = table.parsed();
  options.table = {.encoding = file.encoding,
                   .delimiter = file.delimiter,
                   .skip_bad = rows.skip_bad,
                   .limits = file.limits};
  data::DataReport report;
  data::TableData data = data::read_table(paths_of(files), options, report);
  throw_or_warn(report);
  const std::string names = joined(data.files);
  if (data.left_out > 0) {
    std::cerr << "heed: " << names << ": " << data.left_out
              << " rows left out, which cannot be used\n";
  }
  for (const std::string& note : data.notes) {
    std::cerr << "heed: " << names << ": " << printable(note) << '\n';
  }
  return data;
}

}  // namespace heed::cli
