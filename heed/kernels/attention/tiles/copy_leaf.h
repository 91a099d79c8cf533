// Moving rows in and out of tiles: conversion, padding, transposing, pairing.
#pragma once

#include "heed/kernels/attention/scores/score_leaf.h"
#include "heed/kernels/attention/tiles/tile.h"
#include "heed/kernels/vector/typed_rows_leaf.h"

namespace heed::kernels::HEED_ISA {

HEED_INLINE const float* float_row(Rows rows, int64_t row) {
  return static_cast<const float*>(rows.data) + row * rows.stride;
}
HEED_INLINE const uint16_t* half_row(Rows rows, int64_t row) {
  return static_cast<const uint16_t*>(rows.data) + row * rows.stride;
}

// Prefetches `count` numbers of a dense bias into the second-level cache.
HEED_INLINE void prefetch_dense_row(const DenseBias& dense, int64_t offset, int count) {
  const int64_t bytes = dense.type == DataType::kFloat32 ? 4 : 2;
  const char* from = static_cast<const char*>(dense.data) + offset * bytes;
  for (int64_t at = 0; at < count * bytes; at += 64) __builtin_prefetch(from + at, 0, 2);
}

inline void copy_rows(Rows from, DataType type, int rows, int size, float* to, int64_t padded) {
  for (int i = 0; i < rows; ++i) {
    const int64_t start = i * from.stride;
    for (int64_t d = 0; d < padded; d += kLanes) {
      store(
          to + i * padded + d,
          d < size ? read_typed(from.data, type, start + d, size - static_cast<int>(d)) : zeros());
    }
  }
}

// Words of `rows` rows (`words` each, from `load_row(row, word, how many)`) to (words, kPanel),
// zeros in the lanes that are left.
template <typename LoadRow>
HEED_INLINE void transpose_panel(int rows, int words, float* to, LoadRow load_row) {
  for (int v = 0; v < 2; ++v) {
    const int count = rows - v * kLanes;
    int d = 0;
    for (; count >= kLanes && d + kLanes <= words; d += kLanes) {
      Words block[kLanes];
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) block[i] = load_row(v * kLanes + i, d, kLanes);
      transpose(block);
      float* out = to + d * kPanel + v * kLanes;
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) store_words(out + i * kPanel, block[i]);
    }
    for (; d < words; d += kLanes) {
      Words block[kLanes];
      const int left = words - d < kLanes ? words - d : kLanes;
      for (int i = 0; i < kLanes; ++i) {
        block[i] = i < count ? load_row(v * kLanes + i, d, left) : Words{};
      }
      transpose(block);
      float* out = to + d * kPanel + v * kLanes;
      for (int i = 0; i < left; ++i) store_words(out + i * kPanel, block[i]);
    }
  }
}

inline void pack_transposed(Rows from, DataType type, int rows, int size, float* to) {
  if (type == DataType::kFloat32) {
    transpose_panel(rows, size, to, [&](int row, int d, int left) HEED_INLINE_LAMBDA {
      const float* p = float_row(from, row) + d;
      return as_words(left == kLanes ? load(p) : load_first(p, left));
    });
  } else {
    transpose_panel(rows, size, to, [&](int row, int d, int left) HEED_INLINE_LAMBDA {
      return as_words(read_typed(from.data, DataType::kBFloat16, row * from.stride + d, left));
    });
  }
}

inline void pack_transposed_pairs(Rows from, int rows, int size, float* to) {
  transpose_panel(rows, size / 2, to, [&](int row, int d, int left) HEED_INLINE_LAMBDA {
    const uint16_t* p = half_row(from, row) + 2 * d;
    if (left == kLanes) return load_words(p);
    Words some{};
    __builtin_memcpy(&some, p, static_cast<size_t>(left) * 4);
    return some;
  });
}

// Pairs of consecutive rows: to[i][d] holds row 2i in the lower and row 2i + 1 in the upper half.
inline void pack_row_pairs(Rows from, int rows, int size, uint16_t* to, int64_t padded) {
  for (int i = 0; i < rows; i += 2) {
    const uint16_t* low = half_row(from, i);
    const uint16_t* high = i + 1 < rows ? half_row(from, i + 1) : nullptr;
    uint16_t* out = to + static_cast<int64_t>(i) * padded;
    int64_t d = 0;
    for (; d + kLanes <= size; d += kLanes) {
      const Words a =
          __builtin_convertvector(*reinterpret_cast<const LooseHalves*>(low + d), Words);
      const Words b = high == nullptr ? Words{}
                                      : __builtin_convertvector(
                                            *reinterpret_cast<const LooseHalves*>(high + d), Words);
      store_words(out + 2 * d, a | (b << 16));
    }
    for (; d < padded; ++d) {
      out[2 * d] = d < size ? low[d] : uint16_t{0};
      out[2 * d + 1] = d < size && high != nullptr ? high[d] : uint16_t{0};
    }
  }
}

inline void transpose_pairs(const void* from, int rows, int columns, void* to) {
  const float* in = static_cast<const float*>(from);
  float* out = static_cast<float*>(to);
  for (int i = 0; i < rows; i += kLanes) {
    for (int j = 0; j < columns; j += kLanes) {
      Words block[kLanes];
#pragma GCC unroll 16
      for (int k = 0; k < kLanes; ++k) block[k] = load_words(in + (i + k) * columns + j);
      transpose(block);
#pragma GCC unroll 16
      for (int k = 0; k < kLanes; ++k) store_words(out + (j + k) * rows + i, block[k]);
    }
  }
}

inline void row_dots(Rows a, Rows b, DataType type, int rows, int size, float* sums) {
  for (int i = 0; i < rows; ++i) {
    Floats sum = zeros();
    for (int d = 0; d < size; d += kLanes) {
      sum = fma(read_typed(a.data, type, i * a.stride + d, size - d),
                read_typed(b.data, type, i * b.stride + d, size - d), sum);
    }
    sums[i] = sum_lanes(sum);
  }
}

inline void add_rows(const float* from, int64_t from_stride, float factor, int rows, int size,
                     float* to, int64_t to_stride) {
  for (int i = 0; i < rows; ++i) {
    const float* a = from + i * from_stride;
    float* b = to + i * to_stride;
    int d = 0;
    for (; d + kLanes <= size; d += kLanes) {
      store(b + d, fma(load(a + d), broadcast(factor), load(b + d)));
    }
    if (d < size) {
      const Floats sum =
          fma(load_first(a + d, size - d), broadcast(factor), load_first(b + d, size - d));
      store_first(b + d, sum, size - d);
    }
  }
}

inline void store_rows(const float* from, int64_t from_stride, float factor, int rows, int size,
                       DataType type, void* to, int64_t to_stride) {
  for (int i = 0; i < rows; ++i) {
    for (int d = 0; d < size; d += kLanes) {
      const int left = size - d;
      const float* a = from + i * from_stride + d;
      const Floats v = left >= kLanes ? load(a) : load_first(a, left);
      write_typed(to, type, i * to_stride + d, v * broadcast(factor), left);
    }
  }
}

// Whether NaN or an infinity is among the rows.
inline bool has_non_finite(Rows from, DataType type, int rows, int size) {
  Floats seen[2] = {zeros(), zeros()};
  for (int i = 0; i < rows; ++i) {
    int d = 0;
    if (type == DataType::kFloat32) {
      const float* row = float_row(from, i);
      for (; d + 2 * kLanes <= size; d += 2 * kLanes) {
        seen[0] = fma(load(row + d), zeros(), seen[0]);
        seen[1] = fma(load(row + d + kLanes), zeros(), seen[1]);
      }
    }
    for (; d < size; d += kLanes) {
      seen[0] = fma(read_typed(from.data, type, i * from.stride + d, size - d), zeros(), seen[0]);
    }
  }
  const float sum = sum_lanes(seen[0] + seen[1]);
  return sum != sum;
}

}  // namespace heed::kernels::HEED_ISA
