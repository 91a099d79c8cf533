// The one matrix product of the tile engine, over tiles that lie in the first-level cache:
//
//   C[row][lane] (+)= Σ_k A(row, k) · B[k][lane]
//
//                 k                        lanes (1 or 2 vectors at a time)
//            ┌─────────┐                 ┌───────────┐
//       rows │ A: one  │ broadcast       │ B: vector │ k
//            │ number  │                 │   loads   │
//            └─────────┘                 └───────────┘
//
// A is read one number at a time, so it needs no packing: it is a matrix in its natural layout,
// either with consecutive k (kRows: A(row, k) = a[row · a_stride + k]) or with consecutive rows
// (kColumns: A(row, k) = a[k · a_stride + row]). C stays in registers over the whole of k.
//
// The elements of A and B are float (Singles), or pairs of bfloat16 in 32 bits whose two products
// are added at once in float32 (Pairs); then k counts pairs.
#pragma once

#include "heed/kernels/vector/simd_leaf.h"

namespace heed::kernels::HEED_ISA {

// Rows of C held in registers at a time.
#if HEED_LANES == 16
inline constexpr int kTileRows = 8;
#else
inline constexpr int kTileRows = 4;
#endif

enum class Walk { kRows, kColumns };
// What the product is added to: nothing, C, or C · scale[lane]. C comes last: it grows with the
// length of the text, and a sum that began with it would round at its size at every step.
enum class Start { kZero, kAdd, kScale };

struct Singles {
  using Element = float;
  static constexpr int kStep = 1;  // elements of A for each k along a row
  static HEED_INLINE Floats broadcast_one(const float* a) { return broadcast(*a); }
  static HEED_INLINE Floats add_product(Floats c, Floats a, Floats b) { return fma(a, b, c); }
};

#if defined(__AVX512BF16__) && HEED_LANES == 16
struct Pairs {
  using Element = uint16_t;
  static constexpr int kStep = 2;
  static HEED_INLINE Floats broadcast_one(const uint16_t* a) {
    uint32_t pair;
    __builtin_memcpy(&pair, a, sizeof(pair));
    return as_floats(broadcast_word(pair));
  }
  static HEED_INLINE Floats add_product(Floats c, Floats a, Floats b) {
    return _mm512_dpbf16_ps(c, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
};
#endif

template <typename Element>
struct Product {
  const Element* a;
  int64_t a_stride;
  const float* b;  // k rows of `b_stride` 32-bit words
  int64_t b_stride;
  float* c;
  int64_t c_stride;
  const float* scale;  // for Start::kScale: one number for each lane
  int depth;           // how many k
};

template <typename Kind, Walk walk, Start start, int kRows, int kVectors>
HEED_INLINE void product_tile(const Product<typename Kind::Element>& p, int row, int lane) {
  Floats c[kRows][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) c[r][v] = zeros();
  }
  const int64_t row_step = walk == Walk::kRows ? p.a_stride : Kind::kStep;
  const int64_t k_step = walk == Walk::kRows ? Kind::kStep : p.a_stride;
  const typename Kind::Element* a = p.a + row * row_step;
  const float* b = p.b + lane;
#pragma GCC unroll 2
  for (int k = 0; k < p.depth; ++k) {
    Floats bk[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) bk[v] = load(b + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const Floats ark = Kind::broadcast_one(a + r * row_step);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) c[r][v] = Kind::add_product(c[r][v], ark, bk[v]);
    }
    a += k_step;
    b += p.b_stride;
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      float* to = p.c + (row + r) * p.c_stride + lane + v * kLanes;
      if (start == Start::kAdd) c[r][v] = c[r][v] + load(to);
      if (start == Start::kScale) {
        c[r][v] = fma(load(to), load(p.scale + lane + v * kLanes), c[r][v]);
      }
      store(to, c[r][v]);
    }
  }
}

// The last rows, fewer than kTileRows.
template <typename Kind, Walk walk, Start start, int kVectors, int kRows = kTileRows - 1>
HEED_INLINE void product_rest(const Product<typename Kind::Element>& p, int row, int lane,
                              int rows) {
  if constexpr (kRows > 0) {
    if (rows == kRows) {
      product_tile<Kind, walk, start, kRows, kVectors>(p, row, lane);
    } else {
      product_rest<Kind, walk, start, kVectors, kRows - 1>(p, row, lane, rows);
    }
  }
}

template <typename Kind, Walk walk, Start start, int kVectors>
void product_columns(const Product<typename Kind::Element>& p, int rows, int lane) {
  int row = 0;
  for (; row + kTileRows <= rows; row += kTileRows) {
    product_tile<Kind, walk, start, kTileRows, kVectors>(p, row, lane);
  }
  product_rest<Kind, walk, start, kVectors>(p, row, lane, rows - row);
}

// C has `rows` rows and `vectors` vectors of lanes.
template <typename Kind, Walk walk, Start start>
void multiply(const Product<typename Kind::Element>& p, int rows, int vectors) {
  int v = 0;
  for (; v + 2 <= vectors; v += 2) product_columns<Kind, walk, start, 2>(p, rows, v * kLanes);
  if (v < vectors) product_columns<Kind, walk, start, 1>(p, rows, v * kLanes);
}

}  // namespace heed::kernels::HEED_ISA
