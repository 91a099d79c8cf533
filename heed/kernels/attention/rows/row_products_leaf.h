// Products of one row with listed rows, and weighted sums of listed rows, of either dtype. Lanes
// are the elements of a row.
#pragma once

#include "heed/kernels/attention/rows/row_kernels.h"
#include "heed/kernels/vector/lane_sums_leaf.h"
#include "heed/kernels/vector/simd_math_leaf.h"
#include "heed/kernels/vector/typed_rows_leaf.h"

namespace heed::kernels::HEED_ISA {
namespace {

// ---- rows of either type ----

template <typename Element>
HEED_INLINE const Element* element(const void* data, int64_t offset) {
  return static_cast<const Element*>(data) + offset;
}

template <typename Element>
HEED_INLINE void copy_row(const void* from, int64_t size, float* to) {
  const Element* row = static_cast<const Element*>(from);
  for_each_vector(size, [&](int64_t d, int count) HEED_INLINE_LAMBDA {
    store_some(to + d, load_some(row + d, count), count);
  });
}

template <typename Element>
HEED_INLINE void write_row(const float* from, int64_t size, float factor, void* to) {
  Element* row = static_cast<Element*>(to);
  for (int64_t d = 0; d < size; d += kLanes) {
    const int count = static_cast<int>(size - d < kLanes ? size - d : kLanes);
    store_some(row + d, load_first(from + d, count) * factor, count);
  }
}

HEED_INLINE void fill(float* to, int64_t count, float x) {
  for (int64_t i = 0; i < count; ++i) to[i] = x;
}

// ---- one row against listed rows ----

HEED_INLINE float dot_rows(const float* a, const float* b, int64_t size) {
  Floats sum{};
  for (int64_t d = 0; d < size; d += kLanes) {
    const int count = static_cast<int>(size - d < kLanes ? size - d : kLanes);
    sum = fma(load_first(a + d, count), load_first(b + d, count), sum);
  }
  return sum_lanes(sum);
}

// The rows of a block, padded to whole groups with its last row.
struct BlockRows {
  const void* row[kRowBlock + kGroup];
  int64_t ahead = 0;  // bytes from a row to the one to prefetch meanwhile; 0: none
};

HEED_INLINE void prefetch_bytes(const void* from, int64_t bytes) {
  const char* at = static_cast<const char*>(from);
  int64_t byte = 0;
  for (; byte + 256 <= bytes; byte += 256) {
    __builtin_prefetch(at + byte);
    __builtin_prefetch(at + byte + 64);
    __builtin_prefetch(at + byte + 128);
    __builtin_prefetch(at + byte + 192);
  }
  for (; byte < bytes; byte += 64) __builtin_prefetch(at + byte);
}
template <typename Element>
HEED_INLINE void prefetch_ahead(const BlockRows& rows, int j, int64_t offset, int64_t size) {
  const void* row = element<Element>(rows.row[j], offset);
  prefetch_bytes(static_cast<const char*>(row) + rows.ahead, size * int64_t{sizeof(Element)});
}

// Σ_d with_d · rows[u]_d of one group; `whole` elements and then `rest` < kLanes.
template <typename Element>
HEED_INLINE Floats group_products(const float* with, const Element* const (&row)[kGroup],
                                  int64_t whole, int rest) {
  Floats sum[kGroup];
#pragma GCC unroll 8
  for (int u = 0; u < kGroup; ++u) sum[u] = zeros();
#pragma GCC unroll 4
  for (int64_t d = 0; d < whole; d += kLanes) {
    const Floats x = load(with + d);
#pragma GCC unroll 8
    for (int u = 0; u < kGroup; ++u) sum[u] = fma(x, load(row[u] + d), sum[u]);
  }
  if (rest > 0) {
    const Floats x = load_first(with + whole, rest);
#pragma GCC unroll 8
    for (int u = 0; u < kGroup; ++u) {
      sum[u] = fma(x, load_first(row[u] + whole, rest), sum[u]);
    }
  }
  return sums_of(sum);
}

// Two vectors of bfloat16 at a time need no conversion: the even ones are the lower halves of the
// words moved up, the odd ones the upper halves as they are. What they meet is arranged likewise.
struct EvenOdd {
  Floats even;
  Floats odd;
};
HEED_INLINE EvenOdd load_pairs(const uint16_t* from) {
  const Words pairs = load_words(from);
  return {as_floats(pairs << 16), as_floats(pairs & 0xffff0000u)};
}
HEED_INLINE EvenOdd arrange(Floats a, Floats b) {
#if HEED_LANES == 16
  return {__builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30),
          __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)};
#elif HEED_LANES == 8
  return {__builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14),
          __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)};
#else
  return {__builtin_shufflevector(a, b, 0, 2, 4, 6), __builtin_shufflevector(a, b, 1, 3, 5, 7)};
#endif
}
// What arrange() took apart.
HEED_INLINE void store_natural(float* to, EvenOdd v) {
#if HEED_LANES == 16
  store(to, __builtin_shufflevector(v.even, v.odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22,
                                    7, 23));
  store(to + kLanes, __builtin_shufflevector(v.even, v.odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28,
                                             13, 29, 14, 30, 15, 31));
#elif HEED_LANES == 8
  store(to, __builtin_shufflevector(v.even, v.odd, 0, 8, 1, 9, 2, 10, 3, 11));
  store(to + kLanes, __builtin_shufflevector(v.even, v.odd, 4, 12, 5, 13, 6, 14, 7, 15));
#else
  store(to, __builtin_shufflevector(v.even, v.odd, 0, 4, 1, 5));
  store(to + kLanes, __builtin_shufflevector(v.even, v.odd, 2, 6, 3, 7));
#endif
}

inline constexpr int64_t kMostArranged = 256;
template <typename Element>
HEED_INLINE bool goes_in_pairs(int64_t size) {
  return sizeof(Element) == 2 && size % (2 * kLanes) == 0 && size <= kMostArranged;
}

// group_products of rows that go in pairs, with arranged numbers.
HEED_INLINE Floats group_pair_products(const float* arranged, const uint16_t* const (&row)[kGroup],
                                       int64_t size) {
  Floats sum[kGroup];
#pragma GCC unroll 8
  for (int u = 0; u < kGroup; ++u) sum[u] = zeros();
#pragma GCC unroll 2
  for (int64_t d = 0; d < size; d += 2 * kLanes) {
    const Floats even = load(arranged + d);
    const Floats odd = load(arranged + d + kLanes);
#pragma GCC unroll 8
    for (int u = 0; u < kGroup; ++u) {
      const EvenOdd pairs = load_pairs(row[u] + d);
      sum[u] = fma(odd, pairs.odd, fma(even, pairs.even, sum[u]));
    }
  }
  return sums_of(sum);
}

HEED_INLINE void arrange_row(const float* from, int64_t size, float* to) {
  for (int64_t d = 0; d < size; d += 2 * kLanes) {
    const EvenOdd v = arrange(load(from + d), load(from + d + kLanes));
    store(to + d, v.even);
    store(to + d + kLanes, v.odd);
  }
}

// to[j] = Σ_d with_d · rows[j]_d. Writes up to kLanes floats too many.
template <typename Element>
HEED_INLINE void row_products(const float* with, const BlockRows& rows, int64_t offset, int count,
                              int64_t size, float* to) {
  const int64_t whole = size - size % kLanes;
  const int rest = static_cast<int>(size - whole);
  const bool pairs = goes_in_pairs<Element>(size);
  float arranged[kMostArranged];
  if (pairs) arrange_row(with, size, arranged);
  for (int j = 0; j < count; j += kGroup) {
    const Element* row[kGroup];
#pragma GCC unroll 8
    for (int u = 0; u < kGroup; ++u) row[u] = element<Element>(rows.row[j + u], offset);
    if (rows.ahead != 0) {
      for (int u = 0; u < kGroup; ++u) prefetch_ahead<Element>(rows, j + u, offset, size);
    }
    if constexpr (sizeof(Element) == 2) {
      if (pairs) {
        store(to + j, group_pair_products(arranged, row, size));
        continue;
      }
    }
    // The usual sizes of a head, in vectors, without a loop.
    if (rest == 0 && whole == kLanes) {
      store(to + j, group_products<Element>(with, row, kLanes, 0));
    } else if (rest == 0 && whole == 4 * kLanes) {
      store(to + j, group_products<Element>(with, row, 4 * kLanes, 0));
    } else {
      store(to + j, group_products<Element>(with, row, whole, rest));
    }
  }
}

// add_rows for elements [d, d + 4 · kLanes) of rows that go in pairs.
HEED_INLINE void add_pair_rows(const float* weight, const BlockRows& rows, int64_t offset,
                               int count, int64_t d, float* to) {
  EvenOdd sum[2];
#pragma GCC unroll 2
  for (int u = 0; u < 2; ++u) {
    sum[u] = arrange(load(to + d + 2 * u * kLanes), load(to + d + (2 * u + 1) * kLanes));
  }
  for (int j = 0; j < count; ++j) {
    const Floats w = broadcast(weight[j]);
    const uint16_t* row = element<uint16_t>(rows.row[j], offset + d);
    if (rows.ahead != 0) prefetch_ahead<uint16_t>(rows, j, offset + d, 4 * kLanes);
#pragma GCC unroll 2
    for (int u = 0; u < 2; ++u) {
      const EvenOdd pairs = load_pairs(row + 2 * u * kLanes);
      sum[u].even = fma(w, pairs.even, sum[u].even);
      sum[u].odd = fma(w, pairs.odd, sum[u].odd);
    }
  }
#pragma GCC unroll 2
  for (int u = 0; u < 2; ++u) store_natural(to + d + 2 * u * kLanes, sum[u]);
}

// to[d] += Σ_j weight[j] · rows[j][d], in the order of j.
template <typename Element>
HEED_INLINE void add_rows(const float* weight, const BlockRows& rows, int64_t offset, int count,
                          int64_t size, float* to) {
  int64_t d = 0;
  for (; d + 4 * kLanes <= size; d += 4 * kLanes) {
    if constexpr (sizeof(Element) == 2) {
      add_pair_rows(weight, rows, offset, count, d, to);
      continue;
    }
    Floats sum[4];
#pragma GCC unroll 4
    for (int u = 0; u < 4; ++u) sum[u] = load(to + d + u * kLanes);
    for (int j = 0; j < count; ++j) {
      if (rows.ahead != 0 && d == 0) prefetch_ahead<Element>(rows, j, offset, size);
      const Floats w = broadcast(weight[j]);
      const Element* row = element<Element>(rows.row[j], offset + d);
#pragma GCC unroll 4
      for (int u = 0; u < 4; ++u) sum[u] = fma(w, load(row + u * kLanes), sum[u]);
    }
#pragma GCC unroll 4
    for (int u = 0; u < 4; ++u) store(to + d + u * kLanes, sum[u]);
  }
  for (; d + kLanes <= size; d += kLanes) {
    Floats sum = load(to + d);
    for (int j = 0; j < count; ++j) {
      sum = fma(broadcast(weight[j]), load(element<Element>(rows.row[j], offset + d)), sum);
    }
    store(to + d, sum);
  }
  if (const int rest = static_cast<int>(size - d); rest > 0) {
    Floats sum = load_first(to + d, rest);
    for (int j = 0; j < count; ++j) {
      const Element* row = element<Element>(rows.row[j], offset + d);
      sum = fma(broadcast(weight[j]), load_first(row, rest), sum);
    }
    store_first(to + d, sum, rest);
  }
}

}  // namespace
}  // namespace heed::kernels::HEED_ISA
