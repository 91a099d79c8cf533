#include "heed/cli/options/graph_sets.h"

#include <utility>

namespace heed::cli {

void GraphReading::add_to(Options& command) {
  const std::string group = "Graph";
  command
      .add("--edges", edges,
           "Edges: a table with a source and a target in each row; without: there are none")
      .group(group);
  command.add("--node-column", node_column, "Column of the nodes, by name or number").group(group);
  command
      .add("--split-column", split_column,
           "Column that says which nodes train, validate and test, by name or number; none: there "
           "is "
           "none")
      .group(group);
}

data::GraphData GraphReading::read(const std::string& nodes, const ReadingOptions& table,
                                   const TimedRows& rows, data::GraphReadOptions model) const {
  data::DataReport report;
  data::GraphData data = read_good_rows(nodes, table, rows, std::move(model), report);
  throw_or_warn(report);
  return data;
}

data::GraphData GraphReading::read_good_rows(const std::string& nodes, const ReadingOptions& table,
                                             const TimedRows& rows, data::GraphReadOptions model,
                                             data::DataReport& report) const {
  model.table = open_table_options(table, rows);
  model.node_column = node_column;
  model.label_column = table.label_column;
  model.split_column = split_column;
  data::GraphData data = data::read_graph(nodes, edges, model, report);
  say_count(data.file, data.left_out, kRowsLeftOut);
  say_count(data.file, data.repeated,
            "edges are there again or lead to themselves, and count once or not at all");
  return data;
}

}  // namespace heed::cli
