// A part of a graph around some nodes, for graphs whose layers do not fit into memory as a whole.
//            Hamilton et al. 2017, "Inductive Representation Learning on Large Graphs", section 3.1
#pragma once

#include <cstdint>
#include <vector>

#include "heed/nn/attention/graph_attention.h"
#include "heed/tasks/graph/graph_tensors.h"

namespace heed::tasks {

struct Subgraph {
  std::vector<int64_t> nodes;  // in the whole graph; those that were asked for first
  Neighbors seen;              // among them
};

// The nodes that are asked for, what they attend to, what that attends to, and so on, `hops` times.
// A node attends to itself and at most `most` others, drawn by `seed`; those of the last hop attend
// to themselves alone.
struct NeighborSamplingOptions {
  int64_t hops = 2;
  int64_t most = 10;
  uint64_t seed = 1;
};
Subgraph sampled_subgraph(const Neighbors& graph, const std::vector<int64_t>& asked,
                          const NeighborSamplingOptions& options);

// These rows, in this order.
nn::SparseMatrix chosen_rows(const nn::SparseMatrix& rows, const std::vector<int64_t>& numbers);

}  // namespace heed::tasks
