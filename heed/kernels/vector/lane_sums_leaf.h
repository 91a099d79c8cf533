// The sums over the lanes of several vectors at once, which costs little more than that of one.
#pragma once

#include "heed/kernels/vector/simd_leaf.h"

namespace heed::kernels::HEED_ISA {

// Vectors that are summed together: their sums fill this many lanes.
inline constexpr int kGroup = kLanes < 8 ? kLanes : 8;

HEED_INLINE Floats zip_sum(Floats a, Floats b) {
  return as_floats(zip_low(as_words(a), as_words(b))) +
         as_floats(zip_high(as_words(a), as_words(b)));
}
HEED_INLINE Floats join_sum(Floats a, Floats b) {
  return as_floats(join_low(as_words(a), as_words(b))) +
         as_floats(join_high(as_words(a), as_words(b)));
}
#if HEED_LANES > 4
HEED_INLINE Floats group_sum(Floats a, Floats b) {
  return as_floats(even_groups(as_words(a), as_words(b))) +
         as_floats(odd_groups(as_words(a), as_words(b)));
}
#endif

// Lane u of the result is the sum of the lanes of v[u], u < kGroup; the other lanes are of no use.
HEED_INLINE Floats sums_of(const Floats (&v)[kGroup]) {
  const Floats first = join_sum(zip_sum(v[0], v[1]), zip_sum(v[2], v[3]));
#if HEED_LANES == 4
  return first;
#else
  const Floats second = join_sum(zip_sum(v[4], v[5]), zip_sum(v[6], v[7]));
  const Floats both = group_sum(first, second);
#if HEED_LANES == 16
  return group_sum(both, both);
#else
  return both;
#endif
#endif
}

}  // namespace heed::kernels::HEED_ISA
