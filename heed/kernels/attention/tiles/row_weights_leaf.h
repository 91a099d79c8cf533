// The weights of a row in the backward pass: 2^(x · factor − log-sum-exp), x a score.
//
// Where N keys weigh about the same, that difference is near −log2 N, and rounding it there would
// be felt in the weight more than all that plain float32 does to it, which takes the maximum off
// and divides by the sum. So the integer n nearest to the difference is split off first, exactly:
//
//   weight = 2^n · 2^(x · factor − (n + L) − l)       log-sum-exp = L + l, L an integer
//
// and what is rounded is at most 1/2. Where the logits are so large that n + L would not be exact,
// the difference itself is, and goes the plain way.
#pragma once

#include "heed/kernels/vector/simd_math_leaf.h"

namespace heed::kernels::HEED_ISA {

class RowWeights {
 public:
  // `rest` is what rounding took from log_sum; +inf is the log_sum of a row that weighs nothing.
  HEED_INLINE RowWeights(float log_sum, float rest, Floats factor) : factor_(factor) {
    is_near_ = __builtin_fabsf(log_sum) < 1048576.0f;
    const float whole = is_near_ ? (log_sum + kRoundingShift) - kRoundingShift : 0;
    whole_ = broadcast(whole);
    log_sum_ = broadcast(log_sum);
    rest_ = broadcast(is_near_ ? (log_sum - whole) + rest : rest);
  }

  HEED_INLINE Floats of(Floats x) const {
    if (!is_near_) return exp2(fma_rounded_once(x, factor_, -log_sum_) - rest_);
    const Floats lowest = broadcast(-127.0f);  // exactly 0 from here on
    const Floats about = max(lowest, fma(x, factor_, -log_sum_));
    const Floats shifted = about + broadcast(kRoundingShift);
    const Floats n = shifted - broadcast(kRoundingShift);
    const Floats f = fma_rounded_once(x, factor_, -(n + whole_)) - rest_;
    return exp2_in_parts(shifted, select(equal(about, lowest), zeros(), f));
  }

 private:
  Floats factor_;
  Floats log_sum_;
  Floats whole_;
  Floats rest_;
  bool is_near_;
};

}  // namespace heed::kernels::HEED_ISA
