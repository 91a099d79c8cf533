// The options that commands for graphs have in common.
#pragma once

#include <string>

#include "heed/cli/common.h"
#include "heed/cli/options/task_sets.h"
#include "heed/data/graphs/graph_data.h"

namespace heed::cli {

// The edges, and which columns a table of nodes has.
struct GraphReading {
  std::string edges;
  std::string node_column;
  std::string split_column;

  void add_to(Options& command);

  // Reads a graph, and says on the messages what was left out. `model`: what one knows of it
  // (tasks::read_options_of); what the options say is added. `table`: of its options those that
  // add_table_options() and add_label_column() add. Throws as data::read_graph does, DataError for
  // what that reports.
  data::GraphData read(const std::string& nodes, const ReadingOptions& table, const TimedRows& rows,
                       data::GraphReadOptions model = {}) const;

  // The same without the rows that cannot be used, which `report` has then.
  data::GraphData read_good_rows(const std::string& nodes, const ReadingOptions& table,
                                 const TimedRows& rows, data::GraphReadOptions model,
                                 data::DataReport& report) const;
};

}  // namespace heed::cli
