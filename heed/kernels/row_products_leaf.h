// Products of one row with listed rows, and weighted sums of listed rows, of either dtype. Lanes are
// the elements of a row.
#pragma once

#include "heed/kernels/row_kernels.h"
#include "heed/kernels/simd_math.h"

namespace heed::kernels::HEED_ISA {
namespace {

// ---- elements of either type as float32 ----

HEED_INLINE Floats load_row(const float* from) { return load(from); }
HEED_INLINE Floats load_row(const uint16_t* from) { return load_bfloat16(from); }
HEED_INLINE Floats load_row_first(const float* from, int count) { return load_first(from, count); }
HEED_INLINE Floats load_row_first(const uint16_t* from, int count) {
  Floats v{};
  for (int i = 0; i < count; ++i) v[i] = float_of_bfloat16(from[i]);
  return v;
}
HEED_INLINE void store_row(float* to, Floats v, int count) {
  if (count >= kLanes) {
    store(to, v);
  } else {
    store_first(to, v, count);
  }
}
HEED_INLINE void store_row(uint16_t* to, Floats v, int count) {
  if (count >= kLanes) {
    store_bfloat16(to, v);
  } else {
    for (int i = 0; i < count; ++i) to[i] = bfloat16_of_float(v[i]);
  }
}

template <typename Element>
HEED_INLINE const Element* element(const void* data, int64_t offset) {
  return static_cast<const Element*>(data) + offset;
}

template <typename Element>
HEED_INLINE void copy_row(const void* from, int64_t size, float* to) {
  const Element* row = static_cast<const Element*>(from);
  for (int64_t d = 0; d < size; d += kLanes) {
    if (d + kLanes <= size) {
      store(to + d, load_row(row + d));
    } else {
      store_first(to + d, load_row_first(row + d, static_cast<int>(size - d)),
                  static_cast<int>(size - d));
    }
  }
}

template <typename Element>
HEED_INLINE void write_row(const float* from, int64_t size, float factor, void* to) {
  Element* row = static_cast<Element*>(to);
  for (int64_t d = 0; d < size; d += kLanes) {
    const int count = static_cast<int>(size - d < kLanes ? size - d : kLanes);
    store_row(row + d, load_first(from + d, count) * factor, count);
  }
}

HEED_INLINE float as_float(float x) { return x; }
HEED_INLINE float as_float(uint16_t x) { return float_of_bfloat16(x); }

HEED_INLINE void fill(float* to, int64_t count, float x) {
  for (int64_t i = 0; i < count; ++i) to[i] = x;
}

// ---- one row against listed rows ----

// Rows reduced together: their sums fill this many lanes.
inline constexpr int kGroup = kLanes < 8 ? kLanes : 8;

// Each lane folded onto its partner until one is left, without a way through memory.
template <typename Fold>
HEED_INLINE float fold_lanes(Floats v, Fold fold) {
#if HEED_LANES == 16
  v = fold(v, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  v = fold(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  v = fold(v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  v = fold(v, __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
#elif HEED_LANES == 8
  v = fold(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3));
  v = fold(v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5));
  v = fold(v, __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6));
#else
  v = fold(v, __builtin_shufflevector(v, v, 2, 3, 0, 1));
  v = fold(v, __builtin_shufflevector(v, v, 1, 0, 3, 2));
#endif
  return v[0];
}
HEED_INLINE float total_of(Floats v) {
  return fold_lanes(v, [](Floats a, Floats b) { return a + b; });
}
HEED_INLINE float largest_of(Floats v) {
  return fold_lanes(v, [](Floats a, Floats b) { return max(a, b); });
}

HEED_INLINE float dot_rows(const float* a, const float* b, int64_t size) {
  Floats sum{};
  for (int64_t d = 0; d < size; d += kLanes) {
    const int count = static_cast<int>(size - d < kLanes ? size - d : kLanes);
    sum = fma(load_first(a + d, count), load_first(b + d, count), sum);
  }
  return total_of(sum);
}

// Lane u of the result is the sum of the lanes of v[u], u < kGroup; the other lanes are of no use.
HEED_INLINE Floats sums_of(Floats (&v)[kGroup]) {
#pragma GCC unroll 3
  for (int half = kGroup / 2; half > 0; half /= 2) {
#pragma GCC unroll 4
    for (int i = 0; i < half; ++i) {
      const Words a = as_words(v[i]);
      const Words b = as_words(v[i + half]);
      v[i] = as_floats(interleave_low(a, b)) + as_floats(interleave_high(a, b));
    }
  }
  Floats sum = v[0];
#if HEED_LANES == 16
  sum += __builtin_shufflevector(sum, sum, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
#endif
  return sum;
}

// The rows of a block, padded to whole groups with its last row.
struct BlockRows {
  const void* row[kRowBlock + kGroup];
  int64_t ahead = 0;  // bytes from a row to the one to ask from memory meanwhile; 0: none
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
    for (int u = 0; u < kGroup; ++u) sum[u] = fma(x, load_row(row[u] + d), sum[u]);
  }
  if (rest > 0) {
    const Floats x = load_first(with + whole, rest);
#pragma GCC unroll 8
    for (int u = 0; u < kGroup; ++u) {
      sum[u] = fma(x, load_row_first(row[u] + whole, rest), sum[u]);
    }
  }
  return sums_of(sum);
}

// to[j] = Σ_d with_d · rows[j]_d. Writes up to kLanes floats too many.
template <typename Element>
HEED_INLINE void row_products(const float* with, const BlockRows& rows, int64_t offset, int count,
                              int64_t size, float* to) {
  const int64_t whole = size - size % kLanes;
  const int rest = static_cast<int>(size - whole);
  for (int j = 0; j < count; j += kGroup) {
    const Element* row[kGroup];
#pragma GCC unroll 8
    for (int u = 0; u < kGroup; ++u) row[u] = element<Element>(rows.row[j + u], offset);
    if (rows.ahead != 0) {
      for (int u = 0; u < kGroup; ++u) prefetch_ahead<Element>(rows, j + u, offset, size);
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

// to[d] += Σ_j weight[j] · rows[j][d], in the order of j.
template <typename Element>
HEED_INLINE void add_rows(const float* weight, const BlockRows& rows, int64_t offset, int count,
                          int64_t size, float* to) {
  int64_t d = 0;
  for (; d + 4 * kLanes <= size; d += 4 * kLanes) {
    Floats sum[4];
#pragma GCC unroll 4
    for (int u = 0; u < 4; ++u) sum[u] = load(to + d + u * kLanes);
    for (int j = 0; j < count; ++j) {
      if (rows.ahead != 0 && d == 0) prefetch_ahead<Element>(rows, j, offset, size);
      const Floats w = broadcast(weight[j]);
      const Element* row = element<Element>(rows.row[j], offset + d);
#pragma GCC unroll 4
      for (int u = 0; u < 4; ++u) sum[u] = fma(w, load_row(row + u * kLanes), sum[u]);
    }
#pragma GCC unroll 4
    for (int u = 0; u < 4; ++u) store(to + d + u * kLanes, sum[u]);
  }
  for (; d + kLanes <= size; d += kLanes) {
    Floats sum = load(to + d);
    for (int j = 0; j < count; ++j) {
      sum = fma(broadcast(weight[j]), load_row(element<Element>(rows.row[j], offset + d)), sum);
    }
    store(to + d, sum);
  }
  if (const int rest = static_cast<int>(size - d); rest > 0) {
    Floats sum = load_first(to + d, rest);
    for (int j = 0; j < count; ++j) {
      const Element* row = element<Element>(rows.row[j], offset + d);
      sum = fma(broadcast(weight[j]), load_row_first(row, rest), sum);
    }
    store_first(to + d, sum, rest);
  }
}

}  // namespace
}  // namespace heed::kernels::HEED_ISA
