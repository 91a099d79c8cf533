// Patterns in which some tokens at the beginning are special.
#pragma once

#include <vector>

#include "heed/kernels/attention/patterns/pattern.h"

namespace heed::kernels {

// Key j and the query at p(i) = i + query_offset see each other where j < count or p(i) < count.
PatternPtr global_tokens_pattern(int64_t count, int64_t query_offset);

// Key j is seen by the query at p(i) where j < lengths[b] or j <= p(i). One length holds for every
// batch.
PatternPtr prefix_lm_pattern(std::vector<int64_t> lengths, int64_t query_offset);

}  // namespace heed::kernels
