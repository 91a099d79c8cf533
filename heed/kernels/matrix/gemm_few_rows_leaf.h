// Few rows of A: dot products with rows of the weight. For gemm_leaf.h only.
#pragma once

#include "heed/kernels/matrix/gemm_sums_leaf.h"

namespace heed::kernels::HEED_ISA {
namespace {

// One step of depth of a dot product: kLanes float32 or, with the bfloat16 dot product, 2 · kLanes
// bfloat16 at once.
#if defined(__AVX512BF16__)
constexpr bool kPairDots = true;
#else
constexpr bool kPairDots = false;
#endif

template <bool kHalves>
struct RowDots {
  static constexpr int kElement = kHalves ? 2 : 4;
  static constexpr bool kPairs = kHalves && kPairDots;
  static constexpr int kStep = kPairs ? 2 * kLanes : kLanes;

  HEED_INLINE static Floats read(const char* from) {
    if constexpr (kHalves && !kPairs) {
      return load_bfloat16(reinterpret_cast<const uint16_t*>(from));
    }
    return load(reinterpret_cast<const float*>(from));
  }
  // The last elements, fewer than kStep; the missing ones are 0.
  HEED_INLINE static Floats read_first(const char* from, int64_t count) {
    char buffer[kStep * kElement] = {};
    for (int64_t i = 0; i < count * kElement; ++i) buffer[i] = from[i];
    return read(buffer);
  }
};

template <bool kHalves, int kRowCount, int kColumnCount>
HEED_INLINE void dots(const FewRowsProblem& p, int64_t column, Floats* to) {
  using D = RowDots<kHalves>;
  const char* a = static_cast<const char*>(p.a.data);
  const char* weight =
      static_cast<const char*>(p.weight.data) + column * p.weight.row_stride * D::kElement;
  const int64_t a_step = p.a.row_stride * D::kElement;
  const int64_t w_step = p.weight.row_stride * D::kElement;
  const int64_t depth = p.a.columns;

  Floats sums[kRowCount][kColumnCount];
#pragma GCC unroll 8
  for (int r = 0; r < kRowCount; ++r) {
#pragma GCC unroll 8
    for (int c = 0; c < kColumnCount; ++c) sums[r][c] = zeros();
  }
  int64_t k = 0;
  for (; k + D::kStep <= depth; k += D::kStep) {
    Floats x[kRowCount];
#pragma GCC unroll 8
    for (int r = 0; r < kRowCount; ++r) x[r] = D::read(a + r * a_step + k * D::kElement);
#pragma GCC unroll 8
    for (int c = 0; c < kColumnCount; ++c) {
      const char* from = weight + c * w_step + k * D::kElement;
      __builtin_prefetch(from + kColumnCount * w_step);  // the columns after these
      const Floats w = D::read(from);
#pragma GCC unroll 8
      for (int r = 0; r < kRowCount; ++r) {
        sums[r][c] = multiply_add<D::kPairs>(x[r], w, sums[r][c]);
      }
    }
  }
  if (k < depth) {
    for (int c = 0; c < kColumnCount; ++c) {
      const Floats w = D::read_first(weight + c * w_step + k * D::kElement, depth - k);
      for (int r = 0; r < kRowCount; ++r) {
        const Floats x = D::read_first(a + r * a_step + k * D::kElement, depth - k);
        sums[r][c] = multiply_add<D::kPairs>(x, w, sums[r][c]);
      }
    }
  }
  for (int r = 0; r < kRowCount; ++r) {
    for (int c = 0; c < kColumnCount; ++c) to[r * kLanes + c] = sums[r][c];
  }
}

// Lane i of the result is the sum of the lanes of v[i].
HEED_INLINE Floats sum_each(const Floats (&v)[kLanes]) {
  Words rows[kLanes];
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) rows[i] = as_words(v[i]);
  transpose(rows);
#pragma GCC unroll 4
  for (int width = kLanes / 2; width > 0; width /= 2) {
#pragma GCC unroll 8
    for (int i = 0; i < width; ++i) {
      rows[i] = as_words(as_floats(rows[i]) + as_floats(rows[i + width]));
    }
  }
  return as_floats(rows[0]);
}

template <bool kHalves, int kRowCount>
void few_rows_of(const FewRowsTask& task) {
  constexpr int kAtOnce = kRowCount == 1 && kLanes >= 8 ? 8 : 4;
  const FewRowsProblem& p = *task.problem;
  for (int64_t done = 0; done < task.columns; done += kLanes) {
    const int count = task.columns - done < kLanes ? static_cast<int>(task.columns - done) : kLanes;
    Floats sums[kRowCount][kLanes] = {};
    int i = 0;
    for (; i + kAtOnce <= count; i += kAtOnce) {
      dots<kHalves, kRowCount, kAtOnce>(p, task.column + done + i, sums[0] + i);
    }
    for (; i < count; ++i) dots<kHalves, kRowCount, 1>(p, task.column + done + i, sums[0] + i);
    float values[kRowCount * kLanes];
    for (int r = 0; r < kRowCount; ++r) store(values + r * kLanes, sum_each(sums[r]));
    finish_block(p.c, p.epilogue, {values, kLanes, 0, task.column + done, kRowCount, count});
  }
}

template <bool kHalves>
void few_rows_typed(const FewRowsTask& task) {
  switch (task.problem->a.rows) {
    case 1:
      return few_rows_of<kHalves, 1>(task);
    case 2:
      return few_rows_of<kHalves, 2>(task);
    case 3:
      return few_rows_of<kHalves, 3>(task);
    default:
      return few_rows_of<kHalves, 4>(task);
  }
}

void few_rows(const FewRowsTask& task) {
  if (task.problem->a.type == DataType::kFloat32) {
    few_rows_typed<false>(task);
  } else {
    few_rows_typed<true>(task);
  }
}

}  // namespace
}  // namespace heed::kernels::HEED_ISA
