// Σ_d v_d tanh(q_d + k_d)  (Bahdanau et al. 2015, "Neural machine translation by jointly learning
// to align and translate"; the projections of q and k belong to the layer above).
//
// Three ways to take tanh of a pair; which, additive_ways_leaf.h says:
//
//   small     (tanh q + tanh k) / (1 + tanh q · tanh k), with one tanh a token and element, not a
//             pair; exact in the last places of tanh q and tanh k. Where query and key are at most
//             2.5: there tanh is small itself, and 1 − 2 r would lose much of it.
//   fast      1 − 2 r,   r = 1 / (1 + e^{2q} · e^{2k}),   1 − tanh² = 4 r (1 − r), with one
//             exponential a token and element. Exact to a few 1e−8 of v_d as long as the product
//             neither overflows nor loses an operand; |q_d| + |k_d| < 21.5 makes sure, and keeps
//             the product of two denominators finite.
//   safe      tanh of the sum, pair by pair: beyond that, NaN and infinities among them.
//
// Two elements of a score share one division in the first two.
#pragma once

#include "heed/kernels/attention/scores/additive_gradient_leaf.h"

namespace heed::kernels::HEED_ISA {

struct Additive {
  static constexpr char kName[] = "additive";
  static constexpr auto score = AdditiveScore::score;
  static constexpr auto gradient = AdditiveGradient::gradient;

  // e^{2x} and tanh x.
  static void prepare(const float* in, int64_t count, float* out) {
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      store(out + i, exp_of_twice(load(in + i)));
      store(out + count + i, tanh(load(in + i)));
    }
    const int rest = static_cast<int>(count - i);
    if (rest == 0) return;
    store_first(out + i, exp_of_twice(load_first(in + i, rest)), rest);
    store_first(out + count + i, tanh(load_first(in + i, rest)), rest);
  }
};

}  // namespace heed::kernels::HEED_ISA
