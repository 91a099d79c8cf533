// A graph: for each query the list of its keys.
#pragma once

#include <functional>
#include <memory>

#include "heed/kernels/attention/patterns/pattern.h"
#include "heed/kernels/attention/patterns/sparse_columns.h"

namespace heed::kernels {

// Gives the lists by key of the same graph, from where they are kept.
using KeptColumns =
    std::function<TransposedPtr(int64_t queries, int64_t keys, const Workers& workers)>;

// The lists must stay as they are while the pattern is used; `owner` keeps them alive. Where there
// is no `kept`, each backward pass makes its own lists by key.
PatternPtr graph_pattern(const SparseRows& rows, std::shared_ptr<const void> owner = nullptr,
                         KeptColumns kept = nullptr);

}  // namespace heed::kernels
