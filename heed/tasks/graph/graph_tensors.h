// A graph as a graph attention network reads it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "heed/data/graphs/graph_data.h"
#include "heed/models/files/graph_classifier_files.h"
#include "heed/ops/pattern.h"

namespace heed::tasks {

// Which nodes each node attends to, itself among them: sorted, each once.
struct Neighbors {
  std::vector<int64_t> offsets;  // N + 1
  std::vector<int64_t> nodes;
};

// `directed`: a node attends to the sources of the edges to it; else both ends of an edge attend to
// each other.
Neighbors neighbors_of(const data::GraphData& data, bool directed);

Pattern pattern_of(const Neighbors& neighbours);

// How the columns of the data become features: words by number, means and deviations.
std::vector<models::GraphFeature> features_of(const data::GraphData& data);

// The columns of nodes, classes and splits.
models::DataColumns role_columns(const data::GraphData& data);

// How a table is read for a model, which knows columns and classes. Words that it does not know are
// left out.
data::GraphReadOptions read_options_of(const models::TrainedGraphClassifier& trained,
                                       data::Labels labels);

// Features of all nodes (N, F): the words of a node sum to 1, numbers are standardised. `data` has
// these columns.
nn::SparseMatrix sparse_rows(const data::GraphData& data,
                             const std::vector<models::GraphFeature>& features);

}  // namespace heed::tasks
