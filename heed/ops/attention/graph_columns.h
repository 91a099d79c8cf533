// The lists by key of graphs, which their backward passes walk, kept from one call to the next:
// layers that share a graph, and all steps of a training, transpose it once.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "heed/kernels/attention/patterns/sparse_columns.h"

namespace heed {

// A graph is known again by what its tensors hold, not by where they are: a pass over them that
// costs about a hundredth of what the transpose does. So a graph that is changed in place, by
// whatever means, is transposed anew. The lists of a graph are dropped when its columns die (a
// tensor of int64 is itself kept; for other integers, Pattern::graph holds the converted ones). The
// tensors are those of a checked Pattern::Csr: int64, contiguous, on the CPU. Safe to call from
// several threads.
kernels::TransposedPtr graph_columns(const at::Tensor& offsets, const at::Tensor& columns,
                                     int64_t keys, const Workers& workers);

struct GraphColumnsSummary {
  int64_t graphs = 0;      // that are kept
  int64_t transposed = 0;  // since the program began
};
GraphColumnsSummary graph_columns_summary();

}  // namespace heed
