// A score that is not built in: −width_h · |q − k|², with a learned width for each head. Weights
// are then a Gaussian of the distance (Kim et al. 2021, "The Lipschitz constant of self-attention",
// section 4).
//
//   |q − k|² = |q|² + |k|² − 2 q · k
//
// so it is a function of the product and of one number for each token, which is all that the tile
// engine wants to know. Compiled once for each instruction set, like the scores of
// heed/kernels/attention/scores/.
#pragma once

#include "heed/kernels/attention/scores/score_leaf.h"

namespace heed::kernels::HEED_ISA {

struct SquaredDistance {
  static constexpr char kName[] = "squared_distance";
  static constexpr bool kIsIdentity = false;
  static constexpr bool kHasTerms = true;
  static constexpr int kParameters = 1;  // the width of the head

  // |x|²
  static float term(const float* x, int size) {
    double sum = 0;
    for (int d = 0; d < size; ++d) sum += static_cast<double>(x[d]) * x[d];
    return static_cast<float>(sum);
  }
  // ∂|x|²/∂x = 2x
  static void add_gradient(const float* x, int size, float upstream, float* out) {
    for (int d = 0; d < size; ++d) out[d] += 2 * upstream * x[d];
  }

  static float query_term(const float* q, int size) { return term(q, size); }
  static float key_term(const float* k, int size) { return term(k, size); }
  static void add_query_term_gradient(const float* q, int size, float, float upstream, float* out) {
    add_gradient(q, size, upstream, out);
  }
  static void add_key_term_gradient(const float* k, int size, float, float upstream, float* out) {
    add_gradient(k, size, upstream, out);
  }

  static HEED_INLINE Floats value(Floats raw, Floats query_term, Floats key_term, Floats width) {
    return width * (raw + raw - query_term - key_term);
  }
  static HEED_INLINE ScoreSlopes slopes(Floats raw, Floats query_term, Floats key_term,
                                        Floats width) {
    return {width + width, zeros() - width, zeros() - width, raw + raw - query_term - key_term};
  }
};

}  // namespace heed::kernels::HEED_ISA

#define HEED_EXTRA_SCORE_LIST PRODUCT_SCORE(SquaredDistance),
