// Sets of queries as the bits of a 64-bit word: what Pattern::allowed gives for each key.
#pragma once

#include <algorithm>
#include <cstdint>

namespace heed::kernels {

// Bits 0 to count − 1; count from 0 to 64.
inline uint64_t low_bits(int64_t count) {
  return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
}

// Bits begin to end − 1, where both may lie anywhere; only those below `limit` (at most 64).
inline uint64_t bits_between(int64_t begin, int64_t end, int64_t limit) {
  const int64_t first = std::clamp<int64_t>(begin, 0, limit);
  const int64_t last = std::clamp<int64_t>(end, first, limit);
  return low_bits(last) & ~low_bits(first);
}

}  // namespace heed::kernels
