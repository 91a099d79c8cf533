// Patterns of sequences of different lengths: filled up at the end, or packed one after another.
#pragma once

#include <vector>

#include "heed/kernels/attention/patterns/pattern.h"

namespace heed::kernels {

// Keys below keys[b] for queries below queries[b]; queries empty: all of them.
struct PaddedLengths {
  std::vector<int64_t> keys;
  std::vector<int64_t> queries;
};
PatternPtr padded_pattern(PaddedLengths lengths);

// Query i and key j see each other where both are in the same sequence s:
// queries[s] <= i < queries[s + 1] and keys[s] <= j < keys[s + 1]. Offsets never descend.
struct PackedOffsets {
  std::vector<int64_t> queries;
  std::vector<int64_t> keys;
};
PatternPtr packed_pattern(PackedOffsets offsets);

}  // namespace heed::kernels
