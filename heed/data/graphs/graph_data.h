// A graph in two tables: a row for each node, with its class and what is known of it, and a row for
// each edge.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "heed/data/columns.h"
#include "heed/data/data_report.h"
#include "heed/data/file_format.h"

namespace heed::data {

// A column that says something of a node: a number in each cell, or words with blanks between.
struct NodeColumn {
  std::string name;
  bool is_words = false;
};

struct GraphReadOptions {
  OpenTableOptions table = {};
  // Names of the header or numbers from 1. Empty: told by the usual names (node, id …; label, class
  // …; split, part …), without a header the first column holds the node, the second the class.
  // "none" where there is no class or split.
  std::string node_column = {};
  std::string label_column = {};
  std::string split_column = {};
  // The columns that a model was trained with; empty: all others, those whose cells are all numbers
  // or empty as numbers.
  std::vector<NodeColumn> features = {};
  std::vector<std::string> label_names = {};  // the classes; empty: those of the data
  // The three that a model was trained with, as GraphData has them: taken where no other is chosen.
  // A node's, and with Labels::kRequired a class's, that was chosen then must be there.
  std::string known_node_column = {};
  std::string known_label_column = {};
  std::string known_split_column = {};
  Labels labels = Labels::kRequired;  // kNone: classes are not looked at and may be missing
};

enum class Part : uint8_t { kNone, kTrain, kValid, kTest };

struct GraphData {
  std::string file;  // of the nodes
  std::vector<std::string> nodes;
  std::vector<std::string> labels;  // C, sorted
  std::vector<int32_t> classes;     // of each node; −1: none is given
  std::vector<Part> parts;          // of each node
  bool has_parts = false;

  // Names of the header, or numbers where they were chosen by number; "none" where that was chosen.
  std::string node_column = {};
  std::string label_column = {};
  std::string split_column = {};

  std::vector<NodeColumn> columns;
  std::vector<std::vector<float>> numbers;         // of each column of numbers, NaN: missing
  std::vector<std::vector<std::string>> words;     // of each column of words, each node's cell
  std::vector<std::pair<int32_t, int32_t>> edges;  // source, target; none twice, none to itself
  int64_t left_out = 0;                            // rows, with skip_bad
  int64_t repeated = 0;                            // edges that are there again, or to themselves
};

// Throws MissingInputError, IoError; DataError for damaged gzip data and what is over the limits;
// UsageError for columns that are not there. Rows with another number of cells, a node without a
// name or there twice, a number that is none or not finite, a split that is not train, valid or
// test, a node to train on without a class, and edges to nodes that are not there are reported
// (kColumnCount, kMalformedRow, kUnknownLabel); so is a table without rows (kNoExamples). What is
// returned is made of the other rows; edges of a node that was reported go with it. A file of edges
// that is empty ("") is none.
GraphData read_graph(const std::filesystem::path& nodes, const std::filesystem::path& edges,
                     const GraphReadOptions& options, DataReport& report);

// Pairs of nodes of `data`, a row each, as edges are written; those that are asked about. A pair
// with a node that is not there is reported (kMalformedRow) or, with skip_bad, left out.
std::vector<std::pair<int32_t, int32_t>> read_pairs(const std::filesystem::path& file,
                                                    const GraphData& data,
                                                    const OpenTableOptions& options,
                                                    DataReport& report, int64_t& left_out);

}  // namespace heed::data
