// What becomes of a score between its value and the softmax: the one formula of all engines, and
// its slope.
//
//   y     = scale · value                     or   cap · tanh(scale · value / cap)   (cap > 0)
//   score = y − alibi · |j − p(i)| + relative + dense
//
// Sums and softmax of an engine may be in log2 units (kLog2E): `unit` is what one of its units is
// of a natural one. A relative table comes in the engine's units, everything else in natural ones.
//
// A new modifier is a member of HeadModifiers, its line here in bias() or score(), and what the
// engines read for it: the lambdas of tiles/tile_score_leaf.h and rows/row_leaf.h.
#pragma once

#include "heed/kernels/attention/problem.h"
#include "heed/kernels/vector/simd_math_leaf.h"

namespace heed::kernels::HEED_ISA {

// ∂score / ∂alibi, times a gradient of the score: of a vector of pairs, or of one.
template <typename Number>
HEED_INLINE Number alibi_gradient(Number grad, Number distance) {
  return -grad * distance;
}

class ModifiedScore {
 public:
  HEED_INLINE ModifiedScore(const HeadModifiers& m, float unit)
      : modifiers_(m),
        before_(broadcast(is_capped() ? m.scale / m.softcap : m.scale * unit)),
        cap_(broadcast(m.softcap * unit)),
        alibi_(broadcast(m.alibi_slope * unit)),
        unit_(broadcast(unit)) {}

  HEED_INLINE bool is_capped() const { return modifiers_.softcap > 0; }

  // The sum of the biases of a vector of pairs. Each comes from a function, called where there is
  // such a bias: |j − p(i)|, the entry of the table, the entry of the dense bias.
  template <typename Distance, typename Relative, typename Dense>
  HEED_INLINE Floats bias(const Distance& distance, const Relative& relative,
                          const Dense& dense) const {
    Floats sum = zeros();
    if (modifiers_.has_alibi) sum = -alibi_ * distance();
    if (modifiers_.has_relative) sum = sum + relative();
    if (modifiers_.has_dense) sum = fma(dense(), unit_, sum);
    return sum;
  }

  // The biases are summed first, so that a large score is rounded once, when they meet it.
  HEED_INLINE Floats score(Floats value, Floats bias) const {
    return is_capped() ? fma(tanh(value * before_), cap_, bias) : fma(value, before_, bias);
  }
  // The same, to the bit, and the slope ∂score / ∂(scale · value).
  HEED_INLINE Floats score(Floats value, Floats bias, Floats& slope) const {
    slope = broadcast(1);
    if (!is_capped()) return fma(value, before_, bias);
    const Floats y = tanh(value * before_);
    slope = broadcast(1) - y * y;
    return fma(y, cap_, bias);
  }

 private:
  const HeadModifiers modifiers_;
  Floats before_;
  Floats cap_;
  Floats alibi_;
  Floats unit_;
};

}  // namespace heed::kernels::HEED_ISA
