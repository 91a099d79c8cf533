// Small arithmetic that all of the kernels share.
#pragma once

#include <cstdint>

namespace heed::kernels {

// Natural units to those of powers of two: e^x = 2^(x · log2 e). The leaf headers have it as a
// float (vector/simd_math_leaf.h).
inline constexpr double kLog2E = 1.44269504088896340736;

// How many pieces of `size` it takes for `count`. Of the scheduling code only: an inline function
// in a leaf header could be linked in the place of that of another instruction set.
constexpr int64_t div_up(int64_t count, int64_t size) {
  return count / size + (count % size > 0 ? 1 : 0);  // no sum that could overflow
}

// The next multiple of `size`.
constexpr int64_t round_up(int64_t count, int64_t size) { return div_up(count, size) * size; }

}  // namespace heed::kernels
