// The source of math_ISA.cpp.
#pragma once

#include "heed/kernels/vector/simd_math_leaf.h"
#include "heed/kernels/vector/testing/math.h"

namespace heed::kernels::HEED_ISA {
namespace {

template <Floats (*Function)(Floats)>
void each(const float* x, float* y, int64_t count) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(y + i, Function(load(x + i)));
  const int rest = static_cast<int>(count - i);
  if (rest > 0) store_first(y + i, Function(load_first(x + i, rest)), rest);
}

Floats exp2_of(Floats x) { return exp2(x); }
Floats log2_of(Floats x) { return log2(x); }
Floats tanh_of(Floats x) { return tanh(x); }

void to_bfloat16(const float* x, uint16_t* y, int64_t count) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store_bfloat16(y + i, load(x + i));
  for (; i < count; ++i) {
    y[i] = static_cast<uint16_t>(bfloat16_words(load_first(x + i, 1))[0]);
  }
}

void from_bfloat16(const uint16_t* x, float* y, int64_t count) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(y + i, load_bfloat16(x + i));
  for (; i < count; ++i) y[i] = float_of_bfloat16(x[i]);
}

}  // namespace

const MathTable kMathTable = {each<exp2_of>, each<log2_of>, each<tanh_of>, to_bfloat16,
                              from_bfloat16};

}  // namespace heed::kernels::HEED_ISA
