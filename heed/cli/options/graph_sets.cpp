#include "heed/cli/options/graph_sets.h"

#include <iostream>

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
                                   const TimedRows& rows,
                                   const std::vector<data::NodeColumn>& features,
                                   const std::vector<std::string>& labels) const {
  const data::ReadOptions file = table.parsed();
  data::DataReport report;
  data::GraphData data = data::read_graph(nodes, edges,
                                          {.table = {.encoding = file.encoding,
                                                     .delimiter = file.delimiter,
                                                     .skip_bad = rows.skip_bad,
                                                     .limits = file.limits},
                                           .node_column = node_column,
                                           .label_column = file.label_column,
                                           .split_column = split_column,
                                           .features = features,
                                           .label_names = labels},
                                          report);
  throw_or_warn(report);
  const auto say = [&](int64_t count, const char* what) {
    if (count > 0) std::cerr << "heed: " << data.file << ": " << count << what << '\n';
  };
  say(data.left_out, " rows left out, which cannot be used");
  say(data.repeated, " edges are there again or lead to themselves, and count once or not at all");
  return data;
}

}  // namespace heed::cli
