// Graphs: nodes with classes, and the edges between them.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/data/graphs/graph_data.h"
#include "heed/doctor/data_kind.h"
#include "heed/io/utf8.h"

namespace heed::doctor {
namespace {

// What is known of a node beside its name and class.
std::string features_of(const data::GraphData& graph, size_t node) {
  std::string all;
  size_t number = 0, words = 0;
  for (const data::NodeColumn& column : graph.columns) {
    all += column.is_words ? graph.words[words++][node]
                           : formatted("%.9g", double{graph.numbers[number++][node]});
    all += '\x1f';
  }
  return all;
}

// The parts as splits: what is trained on, chosen by and measured on.
Data node_samples(const data::GraphData& graph) {
  Data data;
  data.labels = graph.labels;
  for (const char* name : {"train", "valid", "test"}) data.splits.push_back({.name = name});
  for (size_t node = 0; node < graph.nodes.size(); ++node) {
    const data::Part part = graph.parts[node];
    if (graph.classes[node] < 0 || (graph.has_parts && part == data::Part::kNone)) continue;
    Split& split = data.splits[part == data::Part::kTest ? 2 : part == data::Part::kValid ? 1 : 0];
    Sample& sample = split.samples.emplace_back();
    sample.text = features_of(graph, node);
    sample.labels = {graph.classes[node]};
    sample.file = file_index(split, text_of(graph.file, ", ", excerpt(graph.nodes[node])));
  }
  std::erase_if(data.splits, [](const Split& split) { return split.samples.empty(); });
  if (data.splits.empty()) data.splits.push_back({.name = "train"});
  return data;
}

void check_edges(const data::GraphData& graph, Report& report) {
  report.made("edges");
  report.made("isolated nodes");
  report.numbers["nodes"] = graph.nodes.size();
  report.numbers["edges"] = graph.edges.size();
  if (graph.repeated > 0) {
    const auto all = std::ssize(graph.edges) + graph.repeated;
    report.add({.check = "edges",
                .severity = Severity::kNote,
                .summary = share_text(graph.repeated, all, "edges") +
                           " stand there before or lead to their own node",
                .advice = "they count once, or not at all: every node hears itself"});
  }
  std::vector<bool> has_edge(graph.nodes.size(), false);
  for (const auto& [from, to] : graph.edges) {
    has_edge[static_cast<size_t>(from)] = has_edge[static_cast<size_t>(to)] = true;
  }
  int64_t isolated = 0;
  std::vector<std::string> examples;
  for (size_t node = 0; node < has_edge.size(); ++node) {
    if (has_edge[node]) continue;
    ++isolated;
    if (examples.size() < kExamples) examples.push_back(excerpt(graph.nodes[node]));
  }
  if (isolated == 0) return;
  report.add({.check = "isolated nodes",
              .severity = Severity::kWarning,
              .summary = share_text(isolated, std::ssize(graph.nodes), "nodes") + " have no edge",
              .advice =
                  "of them a model knows their own columns alone; see whether their names are "
                  "written differently in the edges",
              .examples = std::move(examples)});
}

void check_graph(const DataToCheck& asked, Report& report) {
  check_usage(asked.splits.size() == 1 && asked.splits[0].files.size() == 1,
              "a graph: expected one table of nodes, whose parts a column names");
  data::DataReport reading;
  const data::GraphData graph = data::read_graph(
      asked.splits[0].files[0], asked.edges,
      {.table = asked.table(), .label_column = asked.reading.label_column}, reading);
  Data data = node_samples(graph);
  data.reading = std::move(reading);
  begin_report(data, report);
  check_edges(graph, report);
  if (graph.columns.empty()) {
    report.not_checked.push_back({"duplicates", "nothing but edges is known of the nodes"});
  } else {
    check_duplicates(data, report, {.one = "node", .many = "nodes", .words = false});
  }
  check_balance(data, report);
}

}  // namespace

DataKind graphs_kind() {
  return {.task = "graph",
          .is = [](const DataToCheck& asked) { return !asked.edges.empty(); },
          .check = check_graph};
}

}  // namespace heed::doctor
