#include "heed/data/graphs/graph_data.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "heed/base/error.h"
#include "heed/data/label_set.h"
#include "heed/data/table_column.h"
#include "heed/io/utf8.h"

namespace heed::data {
namespace {

constexpr auto kNodeNames =
    std::to_array<std::string_view>({"node", "id", "node_id", "nodeid", "name", "paper", "user"});
constexpr auto kSplitNames = std::to_array<std::string_view>({"split", "part", "set", "fold"});
constexpr auto kSourceColumns =
    std::to_array<std::string_view>({"source", "from", "src", "head", "citing"});
constexpr auto kTargetColumns =
    std::to_array<std::string_view>({"target", "to", "dst", "dest", "tail", "cited"});
constexpr auto kTrain = std::to_array<std::string_view>({"train", "training"});
constexpr auto kValid = std::to_array<std::string_view>({"valid", "val", "validation", "dev"});
constexpr auto kTest = std::to_array<std::string_view>({"test", "testing"});
constexpr auto kNone =
    std::to_array<std::string_view>({"", "none", "-", "unlabeled", "unlabelled"});

// A finite number, NaN for an empty cell; none for anything else.
std::optional<float> feature_in(std::string_view cell) {
  cell = trimmed(cell);
  if (cell.empty()) return std::numeric_limits<float>::quiet_NaN();
  float value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size() || !std::isfinite(value)) return {};
  return value;
}

std::optional<Part> part_in(std::string_view cell) {
  if (is_among(cell, kTrain)) return Part::kTrain;
  if (is_among(cell, kValid)) return Part::kValid;
  if (is_among(cell, kTest)) return Part::kTest;
  if (is_among(cell, kNone)) return Part::kNone;
  return {};
}

// The nodes of a table by their names.
struct KnownNodes {
  std::unordered_map<std::string, int32_t> numbers = {};
  std::unordered_set<std::string> bad = {};  // of rows that were reported
};

class NodeReader {
 public:
  NodeReader(OpenTable& table, const GraphReadOptions& options, GraphData& data)
      : table_(table), options_(options), data_(data), labels_(options.label_names) {}

  void read() {
    find_columns();
    for (Row row; table_.next(row);) add(row);
    data_.labels = labels_.names();
    if (!labels_.is_fixed()) sort_classes();
    if (options_.features.empty()) tell_kinds();
    data_.left_out += table_.left_out();
  }

  const KnownNodes& known() const { return known_; }

 private:
  void find_columns() {
    const auto& cells = table_.first().cells;
    const auto is_usual = [](const std::string& cell) {
      return is_among(cell, kNodeNames) || is_among(cell, usual_label_names()) ||
             is_among(cell, kSplitNames);
    };
    const bool header = std::any_of(cells.begin(), cells.end(), is_usual) ||
                        names_column(table_, options_.node_column, options_.known_node_column) ||
                        names_column(table_, options_.label_column, options_.known_label_column) ||
                        names_column(table_, options_.split_column, options_.known_split_column);
    table_.set_header(header);
    find_roles(header);
    std::vector<std::string> names;
    for (size_t i = 0; i < cells.size(); ++i) {
      names.push_back(header ? std::string(trimmed(cells[i])) : text_of("column ", i + 1));
    }
    if (options_.features.empty()) {
      for (size_t i = 0; i < cells.size(); ++i) {
        if (i == node_ || i == label_ || i == split_) continue;
        places_.push_back(i);
        data_.columns.push_back({.name = names[i], .is_words = true});
      }
    }
    for (const NodeColumn& column : options_.features) {
      const auto at = std::find(names.begin(), names.end(), column.name);
      check_usage(at != names.end(), table_.file(), ": expected a column ",
                  excerpt(column.name, 40), ", found none of that name");
      places_.push_back(static_cast<size_t>(at - names.begin()));
      data_.columns.push_back(column);
    }
    for (const NodeColumn& column : data_.columns) {
      column.is_words ? void(data_.words.emplace_back()) : void(data_.numbers.emplace_back());
    }
  }

  void find_roles(bool header) {
    using Lost = ColumnRole::Lost;
    const FoundColumn node = find_column({.option = "--node-column",
                                          .chosen = options_.node_column,
                                          .usual = kNodeNames,
                                          .without_header = 0,
                                          .known = options_.known_node_column,
                                          .lost = Lost::kRefused},
                                         table_, header);
    check_usage(node.place.has_value(), table_.file(),
                ": cannot tell which column holds the nodes; name it with --node-column");
    const FoundColumn label = find_column({.option = "--label-column",
                                           .chosen = options_.label_column,
                                           .usual = usual_label_names(),
                                           .without_header = 1,
                                           .known = options_.known_label_column,
                                           .lost = labelled() ? Lost::kRefused : Lost::kTold},
                                          table_, header);
    const FoundColumn split = find_column({.option = "--split-column",
                                           .chosen = options_.split_column,
                                           .usual = kSplitNames,
                                           .without_header = {},
                                           .known = options_.known_split_column},
                                          table_, header);
    node_ = *node.place;
    data_.node_column = node.name;
    if (label.place != node_) {
      label_ = label.place;
      data_.label_column = label.name;
    }
    split_ = split.place;
    data_.split_column = split.name;
    data_.has_parts = split_.has_value();
  }

  bool labelled() const { return options_.labels == Labels::kRequired; }

  void add(const Row& row) {
    const std::string_view node = table_.name(row, node_, "a node");
    if (node.empty()) return;
    if (known_.numbers.contains(std::string(node))) {
      return table_.bad(row, text_of("node ", excerpt(node, 40), " is there a second time"));
    }
    if (add(row, node)) {
      known_.bad.erase(std::string(node));
    } else if (!options_.table.skip_bad) {
      known_.bad.emplace(node);
    }
  }

  // False: the row cannot be used.
  bool add(const Row& row, std::string_view node) {
    const auto part = split_ ? part_in(row.cells[*split_]) : Part::kNone;
    if (!part) {
      table_.bad(row, text_of("column ", *split_ + 1, ": expected train, valid, test or nothing, ",
                              "found ", excerpt(row.cells[*split_], 40)));
      return false;
    }
    int32_t label = -1;
    const std::string_view name =
        label_ && labelled() ? trimmed(row.cells[*label_]) : std::string_view();
    if (!name.empty()) {
      const auto found = labels_.index_of(name, [&](const std::string& detail) {
        table_.lines().report(ProblemKind::kLookAlike, row.line, detail);
      });
      if (!found) {
        table_.bad(row, text_of("class ", excerpt(name, 40), " is none of the model's"),
                   ProblemKind::kUnknownLabel);
        return false;
      }
      label = *found;
      check_class_count(labels_, options_.table.limits, table_.file());
    } else if (labelled() && part == Part::kTrain) {
      table_.bad(row, "expected a class of a node that trains, found none");
      return false;
    }
    if (!add_features(row)) return false;
    known_.numbers.emplace(node, static_cast<int32_t>(data_.nodes.size()));
    data_.nodes.emplace_back(node);
    data_.classes.push_back(label);
    data_.parts.push_back(*part);
    return true;
  }

  bool add_features(const Row& row) {
    std::vector<float> numbers;
    for (size_t i = 0; i < places_.size(); ++i) {
      if (data_.columns[i].is_words) continue;
      const auto number = feature_in(row.cells[places_[i]]);
      if (!number) {
        table_.bad(row, text_of("column ", places_[i] + 1, ": expected a finite number, found ",
                                excerpt(row.cells[places_[i]], 40)));
        return false;
      }
      numbers.push_back(*number);
    }
    size_t words = 0;
    for (size_t i = 0; i < places_.size(); ++i) {
      if (data_.columns[i].is_words) data_.words[words++].push_back(row.cells[places_[i]]);
    }
    for (size_t i = 0; i < numbers.size(); ++i) data_.numbers[i].push_back(numbers[i]);
    return true;
  }

  // Columns of numbers alone become numbers.
  void tell_kinds() {
    std::vector<std::vector<std::string>> words;
    for (size_t i = 0; i < data_.columns.size(); ++i) {
      std::vector<float> numbers;
      bool any = false;
      for (const std::string& cell : data_.words[i]) {
        const auto number = feature_in(cell);
        if (!number) break;
        any = any || !std::isnan(*number);
        numbers.push_back(*number);
      }
      data_.columns[i].is_words = !any || numbers.size() < data_.words[i].size();
      if (data_.columns[i].is_words) {
        words.push_back(std::move(data_.words[i]));
      } else {
        data_.numbers.push_back(std::move(numbers));
      }
    }
    data_.words = std::move(words);
  }

  void sort_classes() {
    const std::vector<int32_t> places = sort_with_places(data_.labels);
    for (int32_t& label : data_.classes) {
      if (label >= 0) label = places[static_cast<size_t>(label)];
    }
  }

  OpenTable& table_;
  const GraphReadOptions& options_;
  GraphData& data_;
  LabelSet labels_;
  KnownNodes known_;
  size_t node_ = 0;
  std::optional<size_t> label_;
  std::optional<size_t> split_;
  std::vector<size_t> places_;  // of the columns
};

// Gives `take` each row whose two nodes are there.
template <typename Take>
void for_each_pair(OpenTable& table, const KnownNodes& nodes, const Take& take) {
  if (table.is_empty()) return;
  const std::string none;
  const auto& cells = table.first().cells;
  const bool header = std::any_of(cells.begin(), cells.end(), [](const std::string& cell) {
    return is_among(cell, kSourceColumns) || is_among(cell, kTargetColumns);
  });
  table.set_header(header);
  check_usage(cells.size() >= 2, table.file(), ": expected two columns, found one");
  const auto place = [&](std::span<const std::string_view> usual, size_t otherwise) {
    const WantedColumn column{
        .option = "", .chosen = none, .usual = usual, .without_header = otherwise};
    return find_column(column, table, header).place.value_or(otherwise);
  };
  const size_t source = place(kSourceColumns, 0);
  const size_t target = place(kTargetColumns, 1);
  for (Row row; table.next(row);) {
    std::array<int32_t, 2> ends{};
    bool known = true;
    for (size_t i = 0; i < 2 && known; ++i) {
      const std::string_view name = table.name(row, i == 0 ? source : target, "a node");
      if (name.empty()) {
        known = false;
        continue;
      }
      const auto at = nodes.numbers.find(std::string(name));
      known = at != nodes.numbers.end();
      if (known) {
        ends[i] = at->second;
      } else if (!nodes.bad.contains(std::string(name))) {
        table.bad(row, text_of("an edge to node ", excerpt(name, 40), ", which is not there"));
      }
    }
    if (known) take(ends[0], ends[1]);
  }
}

void read_edges(OpenTable& table, const KnownNodes& nodes, GraphData& data) {
  std::set<std::pair<int32_t, int32_t>> seen;
  for_each_pair(table, nodes, [&](int32_t source, int32_t target) {
    if (source == target || !seen.emplace(source, target).second) {
      ++data.repeated;
    } else {
      data.edges.emplace_back(source, target);
    }
  });
  data.left_out += table.left_out();
}

}  // namespace

GraphData read_graph(const std::filesystem::path& nodes, const std::filesystem::path& edges,
                     const GraphReadOptions& options, DataReport& report) {
  GraphData data;
  const int64_t before = report.fatal_count();
  OpenTable table(nodes, options.table, report);
  data.file = table.file();
  if (table.is_empty()) return data;
  NodeReader reader(table, options, data);
  reader.read();
  if (data.nodes.empty() && report.fatal_count() == before) {
    report.add(ProblemKind::kNoExamples, data.file, 0, "expected nodes, found none");
  }
  if (edges.empty()) return data;
  OpenTable table_of_edges(edges, options.table, report);
  read_edges(table_of_edges, reader.known(), data);
  return data;
}

std::vector<std::pair<int32_t, int32_t>> read_pairs(const std::filesystem::path& file,
                                                    const GraphData& data,
                                                    const OpenTableOptions& options,
                                                    DataReport& report, int64_t& left_out) {
  OpenTable table(file, options, report);
  KnownNodes nodes;
  for (const std::string& node : data.nodes) {
    nodes.numbers.emplace(node, static_cast<int32_t>(nodes.numbers.size()));
  }
  std::vector<std::pair<int32_t, int32_t>> pairs;
  for_each_pair(table, nodes,
                [&](int32_t source, int32_t target) { pairs.emplace_back(source, target); });
  left_out = table.left_out();
  return pairs;
}

}  // namespace heed::data
