// Activations and their derivatives on vectors. For the *_leaf.h files only.
//
// GELU: Hendrycks and Gimpel 2016. SiLU: the same, and Elfwing et al. 2017.
#pragma once

#include "heed/kernels/matrix/gemm.h"
#include "heed/kernels/vector/simd_math_leaf.h"

namespace heed::kernels::HEED_ISA {

// The upper tail Q(t) = P(Z > t) of the standard normal distribution at t = |x|, and its density,
// from one exponential: Q(t) = exp(−t²/2) · R(t), R a rational minimax fit on [0, 13.5] (relative
// error 2.5e-7 in float32).
struct NormalTail {
  Floats tail;
  Floats density;
};
HEED_INLINE NormalTail normal_tail(Floats x) {
  const Floats t = min(broadcast(13.5f), abs(x));
  const Floats gauss = exp2(t * t * broadcast(-0.5f * kLog2E));
  Floats p = broadcast(0.00403698013f);
  p = fma(p, t, broadcast(0.0400979447f));
  p = fma(p, t, broadcast(0.181645498f));
  p = fma(p, t, broadcast(0.436145812f));
  p = fma(p, t, broadcast(0.5f));
  Floats q = broadcast(0.0101190697f);
  q = fma(q, t, broadcast(0.100517852f));
  q = fma(q, t, broadcast(0.465274343f));
  q = fma(q, t, broadcast(1.19589484f));
  q = fma(q, t, broadcast(1.67017655f));
  q = fma(q, t, broadcast(1.0f));
  return {gauss * p / q, gauss * broadcast(0.398942280f)};
}

// σ(x) = 1 / (1 + e^−x), and 1 − σ(x) = σ(−x) without the cancellation.
struct Sigmoid {
  Floats value;
  Floats rest;
};
HEED_INLINE Sigmoid sigmoid(Floats x) {
  const Floats e = exp2(min(broadcast(126.0f), x * broadcast(-kLog2E)));
  const Floats value = 1.0f / (1.0f + e);
  return {value, e * value};
}

// GELU by tanh is x · sigmoid(2u), u = √(2/π) (x + 0.044715 x³).
inline constexpr float kGeluLinear = 1.59576912160573081f;  // 2 √(2/π)
inline constexpr float kGeluCubic = 1.59576912160573081f * 0.044715f;

HEED_INLINE Floats activate(GemmActivation activation, Floats x) {
  switch (activation) {
    case GemmActivation::kNone:
      break;
    case GemmActivation::kRelu:
      return max(zeros(), x);
    case GemmActivation::kGelu: {
      // x · Φ(x); Φ(−t) = Q(t). At −∞ it is 0 · ∞: NaN, like torch's.
      const NormalTail normal = normal_tail(x);
      return x * select(less(x, zeros()), normal.tail, broadcast(1.0f) - normal.tail);
    }
    case GemmActivation::kGeluTanh:
      return x * sigmoid(x * fma(x * x, broadcast(kGeluCubic), broadcast(kGeluLinear))).value;
    case GemmActivation::kSilu:
      return x * sigmoid(x).value;
  }
  return x;
}

// grad · activation'(x).
HEED_INLINE Floats activate_backward(GemmActivation activation, Floats x, Floats grad) {
  switch (activation) {
    case GemmActivation::kNone:
      break;
    case GemmActivation::kRelu:
      return select(less(zeros(), x), grad, select(equal(x, x), zeros(), grad));
    case GemmActivation::kGelu: {
      const NormalTail normal = normal_tail(x);
      const Floats cdf = select(less(x, zeros()), normal.tail, 1.0f - normal.tail);
      return grad * fma(x, normal.density, cdf);
    }
    case GemmActivation::kGeluTanh: {
      const Floats square = x * x;
      const Sigmoid s = sigmoid(x * fma(square, broadcast(kGeluCubic), broadcast(kGeluLinear)));
      const Floats slope = fma(square, broadcast(3.0f * kGeluCubic), broadcast(kGeluLinear));
      return grad * fma(x * s.value * s.rest, slope, s.value);
    }
    case GemmActivation::kSilu: {
      const Sigmoid s = sigmoid(x);
      return grad * fma(x * s.value, s.rest, s.value);
    }
  }
  return grad;
}

}  // namespace heed::kernels::HEED_ISA
