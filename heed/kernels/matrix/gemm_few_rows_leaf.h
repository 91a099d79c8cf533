// Few rows of A: dot products with rows of the weight. For gemm_leaf.h only.
#pragma once

#include "heed/kernels/matrix/gemm_sums_leaf.h"

namespace heed::kernels::HEED_ISA {
namespace {

// One step of depth of a dot product: kLanes words, of a float32 each or of two bfloat16. Without
// the bfloat16 dot product the lower and the upper halves of the words are widened, a vector each.
#if defined(__AVX512BF16__)
constexpr bool kPairDots = true;
#else
constexpr bool kPairDots = false;
#endif

template <bool kHalves>
struct RowDots {
  static constexpr int kElement = kHalves ? 2 : 4;
  static constexpr bool kPairs = kHalves && kPairDots;
  static constexpr int kVectors = kHalves && !kPairDots ? 2 : 1;
  static constexpr int kStep = kLanes * 4 / kElement;

  struct Step {
    Floats v[kVectors];
  };
  HEED_INLINE static Step read(const char* from) {
    const Words words = load_words(from);
    if constexpr (kVectors == 2) {
      return {{as_floats(words << 16), as_floats(words & 0xffff0000U)}};
    } else {
      return {{as_floats(words)}};
    }
  }
  // The last elements, fewer than kStep; the missing ones are 0.
  HEED_INLINE static Step read_first(const char* from, int64_t count) {
    char buffer[kStep * kElement] = {};
    for (int64_t i = 0; i < count * kElement; ++i) buffer[i] = from[i];
    return read(buffer);
  }
};

// The lanes of the dot products of rows [row, row + kRowCount) with one row of the weight, each to
// to[r · kLanes]. The weight is read from its first byte to its last: several of its rows at a time
// are several streams, which memory gives more slowly (on Zen 3 by a third). So that additions need
// not wait for each other, the depth is dealt out to kChains sums.
template <bool kHalves, int kRowCount>
HEED_INLINE void dots(const FewRowsProblem& p, int64_t row, int64_t column, Floats* to) {
  using D = RowDots<kHalves>;
  constexpr int kSteps = 4 / D::kVectors;
  constexpr int kChains = kSteps * D::kVectors;
  constexpr int kAhead = 1024;  // bytes
  const int64_t a_step = p.a.row_stride * D::kElement;
  const int64_t w_step = p.weight.row_stride * D::kElement;
  const char* a = static_cast<const char*>(p.a.data) + row * a_step;
  const char* weight = static_cast<const char*>(p.weight.data) + column * w_step;
  const int64_t depth = p.a.columns;

  Floats sums[kRowCount][kChains] = {};
  const auto add = [&](int first, int64_t k, int64_t count) HEED_INLINE_LAMBDA {
    const auto read = [&](const char* from) HEED_INLINE_LAMBDA {
      return count < D::kStep ? D::read_first(from, count) : D::read(from);
    };
    const typename D::Step w = read(weight + k * D::kElement);
#pragma GCC unroll 8
    for (int r = 0; r < kRowCount; ++r) {
      const typename D::Step x = read(a + r * a_step + k * D::kElement);
#pragma GCC unroll 8
      for (int i = 0; i < D::kVectors; ++i) {
        Floats& sum = sums[r][first + i];
        sum = multiply_add<D::kPairs>(x.v[i], w.v[i], sum);
      }
    }
  };
  int64_t k = 0;
  for (; k + kSteps * D::kStep <= depth; k += kSteps * D::kStep) {
#pragma GCC unroll 8
    for (int step = 0; step < kSteps; ++step) {
      const int64_t at = k + step * D::kStep;
      __builtin_prefetch(weight + at * D::kElement + kAhead);
      add(step * D::kVectors, at, D::kStep);
    }
  }
  for (; k < depth; k += D::kStep) add(0, k, depth - k);
#pragma GCC unroll 8
  for (int r = 0; r < kRowCount; ++r) {
    to[r * kLanes] = (sums[r][0] + sums[r][1]) + (sums[r][2] + sums[r][3]);
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

template <bool kHalves>
void few_rows_of(const FewRowsTask& task) {
  const FewRowsProblem& p = *task.problem;
  const int64_t rows = p.a.rows;
  for (int64_t done = 0; done < task.columns; done += kLanes) {
    const int count = task.columns - done < kLanes ? static_cast<int>(task.columns - done) : kLanes;
    Floats sums[kFewRows][kLanes] = {};
    for (int i = 0; i < count; ++i) {
      const int64_t column = task.column + done + i;
      int64_t row = 0;
      for (; row + 2 <= rows; row += 2) dots<kHalves, 2>(p, row, column, &sums[row][i]);
      if (row < rows) dots<kHalves, 1>(p, row, column, &sums[row][i]);
    }
    float values[kFewRows * kLanes];
    for (int64_t r = 0; r < rows; ++r) store(values + r * kLanes, sum_each(sums[r]));
    finish_block(p.c, p.epilogue, {values, kLanes, 0, task.column + done, rows, count});
  }
}

void few_rows(const FewRowsTask& task) {
  if (task.problem->a.type == DataType::kFloat32) {
    few_rows_of<false>(task);
  } else {
    few_rows_of<true>(task);
  }
}

}  // namespace
}  // namespace heed::kernels::HEED_ISA
