// A graph: for each query the list of its keys.
#pragma once

#include <memory>

#include "heed/kernels/pattern.h"

namespace heed::kernels {

// The lists must stay as they are while the pattern is used; `owner` keeps them alive.
PatternPtr graph_pattern(const SparseRows& rows, std::shared_ptr<const void> owner = nullptr);

}  // namespace heed::kernels
