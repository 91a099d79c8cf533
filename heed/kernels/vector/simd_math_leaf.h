// exp2, log2 and tanh of a vector, by polynomials fitted for these kernels (minimax in relative
// error). Accuracy against double precision, with fused multiply-add: exp2 1 ulp, log2 2 ulp away
// from 1, tanh 2 ulp.
#pragma once

#include "heed/kernels/arithmetic.h"
#include "heed/kernels/vector/simd_leaf.h"

namespace heed::kernels::HEED_ISA {

inline constexpr float kLog2E = static_cast<float>(kernels::kLog2E);
inline constexpr float kLn2 = 0.693147180559945309f;

// What is added to a number of at most 2^22 so that the low bits of the sum are the nearest
// integer: 1.5 · 2^23.
inline constexpr float kRoundingShift = 12582912.0f;

// 2^(n + f) for f in [−1/2, 1/2]; the low bits of `shifted` are the integer n ≥ −127.
HEED_INLINE Floats exp2_in_parts(Floats shifted, Floats f) {
  Floats p = broadcast(1.5353362e-4f);
  p = fma(p, f, broadcast(1.3398874e-3f));
  p = fma(p, f, broadcast(9.6184369e-3f));
  p = fma(p, f, broadcast(5.5503324e-2f));
  p = fma(p, f, broadcast(0.24022648f));
  p = fma(p, f, broadcast(0.69314718f));
  p = fma(p, f, broadcast(1.0f));
  return as_floats(as_words(p) + (as_words(shifted) << 23));
}

// 2^x for x ≤ 127. Results under 2^−126 lose precision and end in exactly 0 at x ≤ −127, −inf
// included; NaN stays NaN.
HEED_INLINE Floats exp2(Floats x) {
  const Floats clamped = max(broadcast(-127.0f), x);
  const Floats shift = broadcast(kRoundingShift);
  const Floats shifted = clamped + shift;
  return exp2_in_parts(shifted, clamped - (shifted - shift));
}

// For normal x > 0: the integer nearest to log2 x, and in `rest` what is left of log2 x.
HEED_INLINE Floats log2_in_parts(Floats x, Floats& rest) {
  const Words bits = as_words(x);
  // x = 2^e · m with m in [√½, √2).
  const Words above = bits - 0x3f3504f3u;
  const Ints exponent = reinterpret_cast<Ints>(above) >> 23;
  const Floats m = as_floats((above & 0x007fffffu) + 0x3f3504f3u);
  const Floats t = m - 1.0f;
  Floats p = broadcast(-0.076211222f);
  p = fma(p, t, broadcast(0.12904665f));
  p = fma(p, t, broadcast(-0.13243461f));
  p = fma(p, t, broadcast(0.14181834f));
  p = fma(p, t, broadcast(-0.16609013f));
  p = fma(p, t, broadcast(0.20001969f));
  p = fma(p, t, broadcast(-0.25001586f));
  p = fma(p, t, broadcast(0.33333325f));
  p = fma(p, t, broadcast(-0.49999988f));
  const Floats natural = fma(p * t, t, t);
  rest = natural * broadcast(kLog2E);
  return __builtin_convertvector(exponent, Floats);
}

// log2 x for normal x > 0; −inf for 0 and below the normal range, +inf for +inf, NaN for NaN.
HEED_INLINE Floats log2(Floats x) {
  Floats rest;
  const Floats whole = log2_in_parts(x, rest);
  Floats y = whole + rest;
  const float infinity = __builtin_inff();
  y = select(less(x, broadcast(1.17549435e-38f)), broadcast(-infinity), y);
  // +inf and NaN: x · x is what it should be.
  return select(less(x, broadcast(infinity)), y, x * x);
}

// tanh x: a polynomial in x² near 0, 1 − 2 / (1 + e^{2|x|}) beyond; NaN for NaN. Exactly ±1 where
// it rounds to that, and exact to the last places near 0: a sum of many terms shows every unit.
HEED_INLINE Floats tanh(Floats x) {
  const Floats size = abs(x);
  const Floats t = x * x;
  Floats p = broadcast(-5.802469e-3f);
  p = fma(p, t, broadcast(2.0737404e-2f));
  p = fma(p, t, broadcast(-5.377462e-2f));
  p = fma(p, t, broadcast(0.13331948f));
  p = fma(p, t, broadcast(-0.33333308f));
  const Floats near = fma(p * t, x, x);
  const Floats e = exp2(min(broadcast(10.0f), size) * broadcast(2 * kLog2E));
  const Floats far = broadcast(1.0f) - broadcast(2.0f) / (e + broadcast(1.0f));
  const Floats signed_far = as_floats(as_words(far) | (as_words(x) & 0x80000000u));
  return select(less(size, broadcast(0.625f)), near, signed_far);
}

}  // namespace heed::kernels::HEED_ISA
