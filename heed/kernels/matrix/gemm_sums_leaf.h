// What every product makes its sums with, and their way to memory. For gemm_leaf.h only.
#pragma once

#include "heed/kernels/matrix/gemm_activation_leaf.h"
#include "heed/kernels/matrix/gemm_table.h"
#include "heed/kernels/vector/simd_math_leaf.h"
#include "heed/kernels/vector/typed_rows_leaf.h"

namespace heed::kernels::HEED_ISA {
namespace {

// sum + a · b, lane by lane; of pairs: sum + a0 · b0 + a1 · b1.
template <bool kPairs>
HEED_INLINE Floats multiply_add(Floats a, Floats b, Floats sum) {
#if defined(__AVX512BF16__)
  if constexpr (kPairs) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
  }
#endif
  return fma(a, b, sum);
}

HEED_INLINE void store_row(const MutableMatrix& m, int64_t row, int64_t column, Floats v,
                           int count) {
  write_typed(m.data, m.type, row * m.row_stride + column, v, count);
}

// The first `count` lanes of v are sums of C from (row, column) on.
template <GemmActivation kActivation>
HEED_INLINE void finish(const MutableMatrix& c, const GemmEpilogue& epilogue, int64_t row,
                        int64_t column, Floats v, int count) {
  if (epilogue.bias != nullptr) {
    v += load_some(epilogue.bias + column, count);
  }
  if (epilogue.before_activation.data != nullptr) {
    store_row(epilogue.before_activation, row, column, v, count);
  }
  store_row(c, row, column, activate(kActivation, v), count);
}

// A block of C from (row, column) on: rows of sums that are `stride` apart.
struct Finish {
  const float* sums = nullptr;
  int64_t stride = 0;
  int64_t row = 0;
  int64_t column = 0;
  int64_t rows = 0;
  int64_t columns = 0;
};

template <GemmActivation kActivation>
void finish_block(const MutableMatrix& c, const GemmEpilogue& epilogue, const Finish& f) {
  for (int64_t r = 0; r < f.rows; ++r) {
    const float* sums = f.sums + r * f.stride;
    for (int64_t done = 0; done < f.columns; done += kLanes) {
      const int64_t left = f.columns - done;
      const int count = left < kLanes ? static_cast<int>(left) : kLanes;
      finish<kActivation>(c, epilogue, f.row + r, f.column + done, load(sums + done), count);
    }
  }
}

void finish_block(const MutableMatrix& c, const GemmEpilogue& epilogue, const Finish& f) {
  switch (epilogue.activation) {
    case GemmActivation::kNone:
      return finish_block<GemmActivation::kNone>(c, epilogue, f);
    case GemmActivation::kRelu:
      return finish_block<GemmActivation::kRelu>(c, epilogue, f);
    case GemmActivation::kGelu:
      return finish_block<GemmActivation::kGelu>(c, epilogue, f);
    case GemmActivation::kGeluTanh:
      return finish_block<GemmActivation::kGeluTanh>(c, epilogue, f);
    case GemmActivation::kSilu:
      return finish_block<GemmActivation::kSilu>(c, epilogue, f);
  }
}

}  // namespace
}  // namespace heed::kernels::HEED_ISA
