// The source of gemm_ISA.cpp.
#pragma once

#include "heed/kernels/matrix/gemm_activation_leaf.h"
#include "heed/kernels/matrix/gemm_few_rows_leaf.h"
#include "heed/kernels/matrix/gemm_pack_leaf.h"
#include "heed/kernels/matrix/gemm_sums_leaf.h"
#include "heed/kernels/matrix/gemm_table.h"
#include "heed/kernels/vector/simd_math_leaf.h"

namespace heed::kernels::HEED_ISA {
namespace {

// Panels of two vectors of B, and as many rows of A as leave registers for them: 24 of 32 sums
// with AVX-512, 12 of 16 with AVX2. Each step of depth then costs more multiplications than loads.
constexpr int kColumns = 2 * kLanes;
constexpr int kRows = kLanes == 16 ? 12 : kLanes == 8 ? 6 : 4;

typedef uint32_t LooseWord __attribute__((aligned(2), may_alias));

// ---- the product of one panel of A and one of B ----

struct Sums {
  Floats of[kRows][2];
};

// Row r of A starts at a + r · row_step, and its words stand word_step apart (both in words of
// memory, except that a row of pairs in natural layout may have any number of elements).
template <int kCount, bool kPacked, bool kPairs, bool kAhead>
HEED_INLINE void multiply(const GemmTile& t, const char* a, const float* b, Sums& sums) {
  constexpr int kElement = kPairs ? 2 : 4;
  const int64_t row_step = kPacked ? 4 : t.a_row_stride * kElement;
  constexpr int kWordStep = kPacked ? 4 * kRows : 4;
#pragma GCC unroll 16
  for (int r = 0; r < kCount; ++r) sums.of[r][0] = sums.of[r][1] = zeros();
  // The panels of B lie one behind the other; the first rows fetch them for the others.
  constexpr int kSteps = 64;
#pragma GCC unroll 2
  for (int64_t w = 0; w < t.words; ++w) {
    const Floats b0 = load(b);
    const Floats b1 = load(b + kLanes);
    if constexpr (kAhead) {
#pragma GCC unroll 2
      for (int line = 0; line < kColumns; line += 16)
        __builtin_prefetch(b + kSteps * kColumns + line);
    }
    b += kColumns;
#pragma GCC unroll 16
    for (int r = 0; r < kCount; ++r) {
      const Floats x =
          as_floats(broadcast_word(*reinterpret_cast<const LooseWord*>(a + r * row_step)));
      sums.of[r][0] = multiply_add<kPairs>(x, b0, sums.of[r][0]);
      sums.of[r][1] = multiply_add<kPairs>(x, b1, sums.of[r][1]);
    }
    a += kWordStep;
  }
}

// Whether all that is done with a sum can be done in its register: a bias and a floor.
bool is_plain(const GemmEpilogue& epilogue) {
  return (epilogue.activation == GemmActivation::kNone ||
          epilogue.activation == GemmActivation::kRelu) &&
         epilogue.before_activation.data == nullptr;
}

// Whole sums from their registers to C: the most frequent case, without the way through memory.
template <typename Element, int kCount>
HEED_INLINE void store_sums(const GemmTile& t, int64_t row, int64_t column, const Sums& sums) {
  const float* bias = t.epilogue.bias;
  const Floats bias0 = bias != nullptr ? load(bias + column) : zeros();
  const Floats bias1 = bias != nullptr ? load(bias + column + kLanes) : zeros();
  // max(floor, NaN) is NaN, as it is where activate() gives max(0, x).
  const bool relu = t.epilogue.activation == GemmActivation::kRelu;
  const Floats floor = relu ? zeros() : broadcast(-__builtin_inff());
  Element* to = static_cast<Element*>(t.c.data) + row * t.c.row_stride + column;
#pragma GCC unroll 16
  for (int r = 0; r < kCount; ++r, to += t.c.row_stride) {
    store(to, max(floor, sums.of[r][0] + bias0));
    store(to + kLanes, max(floor, sums.of[r][1] + bias1));
  }
}

// One panel of A by one of B: kCount rows from `row` of the tile, panel number `panel`.
template <int kCount, bool kPacked, bool kPairs>
void block(const GemmTile& t, int64_t row, int64_t panel) {
  const char* a =
      static_cast<const char*>(t.a) +
      (kPacked ? row / kRows * t.a_panel_words * 4 : row * t.a_row_stride * (kPairs ? 2 : 4));
  const float* b = reinterpret_cast<const float*>(t.b + panel * t.b_panel_words);
  Sums sums;
  if (row == 0) {
    multiply<kCount, kPacked, kPairs, true>(t, a, b, sums);
  } else {
    multiply<kCount, kPacked, kPairs, false>(t, a, b, sums);
  }

  float* partial = t.partial + row * t.partial_stride + panel * kColumns;
  if (!t.first) {
#pragma GCC unroll 16
    for (int r = 0; r < kCount; ++r) {
      sums.of[r][0] += load(partial + r * t.partial_stride);
      sums.of[r][1] += load(partial + r * t.partial_stride + kLanes);
    }
  }
  const int64_t column = t.column + panel * kColumns;
  const int64_t left = t.columns - column;
  if (t.last && left >= kColumns && is_plain(t.epilogue)) {
    if (t.c.type == DataType::kFloat32) {
      return store_sums<float, kCount>(t, t.row + row, column, sums);
    }
    return store_sums<uint16_t, kCount>(t, t.row + row, column, sums);
  }
#pragma GCC unroll 16
  for (int r = 0; r < kCount; ++r) {
    store(partial + r * t.partial_stride, sums.of[r][0]);
    store(partial + r * t.partial_stride + kLanes, sums.of[r][1]);
  }
  if (!t.last) return;
  finish_block(
      t.c, t.epilogue,
      {partial, t.partial_stride, t.row + row, column, kCount, left < kColumns ? left : kColumns});
}

using RowBlock = void (*)(const GemmTile& t, int64_t row, int64_t panel);

template <bool kPacked, bool kPairs>
RowBlock block_of(int64_t rows) {
  if (rows >= kRows) return block<kRows, kPacked, kPairs>;
  switch (rows) {
    case 1:
      return block<1, kPacked, kPairs>;
    case 2:
      return block<2, kPacked, kPairs>;
    case 3:
      return block<3, kPacked, kPairs>;
#if HEED_LANES >= 8
    case 4:
      return block<4, kPacked, kPairs>;
    case 5:
      return block<5, kPacked, kPairs>;
#endif
#if HEED_LANES >= 16
    case 6:
      return block<6, kPacked, kPairs>;
    case 7:
      return block<7, kPacked, kPairs>;
    case 8:
      return block<8, kPacked, kPairs>;
    case 9:
      return block<9, kPacked, kPairs>;
    case 10:
      return block<10, kPacked, kPairs>;
    case 11:
      return block<11, kPacked, kPairs>;
#endif
    default:
      return nullptr;
  }
}

RowBlock block_of(const GemmTile& t, int64_t rows) {
#if defined(__AVX512BF16__)
  if (t.pairs) return t.a_packed ? block_of<true, true>(rows) : block_of<false, true>(rows);
#endif
  return t.a_packed ? block_of<true, false>(rows) : block_of<false, false>(rows);
}

// A panel of B stays in the first-level cache while all rows of the tile pass it.
void tile(const GemmTile& t) {
  const int64_t whole = t.rows / kRows * kRows;
  const RowBlock whole_block = block_of(t, kRows);
  const RowBlock last_block = block_of(t, t.rows - whole);
  for (int64_t panel = 0; panel < t.panels; ++panel) {
    for (int64_t row = 0; row < whole; row += kRows) whole_block(t, row, panel);
    if (whole < t.rows) last_block(t, whole, panel);
  }
}

// ---- backward of the activation ----

template <GemmActivation kActivation>
void gradient_of(const ActivationGradient& p) {
  const MutableMatrix to = {p.grad_before, p.type, 0};
  const bool wide = p.type == DataType::kFloat32;
  for (int64_t i = 0; i < p.count; i += kLanes) {
    const int count = p.count - i < kLanes ? static_cast<int>(p.count - i) : kLanes;
    const Floats grad =
        wide ? width_floats<false>(p.grad, i, count) : width_floats<true>(p.grad, i, count);
    const Floats x = wide ? width_floats<false>(p.x, i, count) : width_floats<true>(p.x, i, count);
    store_row(to, 0, i, activate_backward(kActivation, x, grad), count);
  }
}

void activation_gradient(const ActivationGradient& p) {
  switch (p.activation) {
    case GemmActivation::kNone:
      return gradient_of<GemmActivation::kNone>(p);
    case GemmActivation::kRelu:
      return gradient_of<GemmActivation::kRelu>(p);
    case GemmActivation::kGelu:
      return gradient_of<GemmActivation::kGelu>(p);
    case GemmActivation::kGeluTanh:
      return gradient_of<GemmActivation::kGeluTanh>(p);
    case GemmActivation::kSilu:
      return gradient_of<GemmActivation::kSilu>(p);
  }
}

}  // namespace

const GemmTable kGemmTable = {kRows,           kColumns, kPairDots, pack,
                              row_sums<kRows>, tile,     few_rows,  activation_gradient};

}  // namespace heed::kernels::HEED_ISA
