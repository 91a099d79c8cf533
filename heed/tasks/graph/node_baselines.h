// What a sceptic tries before a graph attention network.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "heed/data/graphs/graph_data.h"
#include "heed/nn/attention/graph_attention.h"
#include "heed/tasks/graph/graph_tensors.h"

namespace heed::tasks {

// What both answer for all nodes, (N) int64, from the classes of the nodes that train. The one
// number that each has is chosen on the nodes that validate.

// The features alone, no edges: least squares to the classes with a penalty on the weights. Of
// many training nodes every so many-th is taken.
at::Tensor linear_classes(const data::GraphData& data, const nn::SparseMatrix& features,
                          int64_t num_features);

// The edges alone, no features: classes spread from neighbour to neighbour.
//                              Zhou et al. 2004, "Learning with local and global consistency"
at::Tensor spread_classes(const data::GraphData& data, const Neighbors& neighbours);

}  // namespace heed::tasks
