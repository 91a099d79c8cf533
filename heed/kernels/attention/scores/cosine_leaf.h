// temperature · q · k / (|q| |k|)  (Henry et al. 2020, "Query-key normalization for transformers").
//
// A row counts as q / max(|q|, 1e-12), so a row of zeros scores 0 with every key; below the bound
// the norm is a constant, and the gradient is that of q / 1e-12.
#pragma once

#include "heed/kernels/attention/scores/score_leaf.h"

namespace heed::kernels::HEED_ISA {

struct Cosine {
  static constexpr char kName[] = "cosine";
  static constexpr bool kIsIdentity = false;
  static constexpr bool kHasTerms = true;
  static constexpr int kParameters = 1;  // the temperature of the head
  static constexpr float kSmallest = 1e-12f;

  // 1 / max(|x|, 1e-12).
  static float inverse_norm(const float* x, int size) {
    Floats squares = zeros();
    for (int d = 0; d < size; d += kLanes) {
      const Floats some = size - d >= kLanes ? load(x + d) : load_first(x + d, size - d);
      squares = fma(some, some, squares);
    }
    const float sum = sum_lanes(squares);
    if (sum > 1e-20f && sum < 1e30f) return 1 / __builtin_sqrtf(sum);
    return far_inverse_norm(x, size);
  }
  // The same where squares may leave the range of float32.
  static float far_inverse_norm(const float* x, int size) {
    double sum = 0;
    for (int d = 0; d < size; ++d) sum += static_cast<double>(x[d]) * x[d];
    const double norm = __builtin_sqrt(sum);
    return static_cast<float>(1.0 / (norm < kSmallest ? static_cast<double>(kSmallest) : norm));
  }
  // ∂(1/|x|)/∂x = −x / |x|³.
  static void add_gradient(const float* x, int size, float term, float upstream, float* out) {
    if (term >= 1 / kSmallest) return;
    const Floats factor = broadcast(-upstream * term * term * term);
    int d = 0;
    for (; d + kLanes <= size; d += kLanes) {
      store(out + d, fma(factor, load(x + d), load(out + d)));
    }
    if (d == size) return;
    const int left = size - d;
    store_first(out + d, fma(factor, load_first(x + d, left), load_first(out + d, left)), left);
  }

  static float query_term(const float* q, int size) { return inverse_norm(q, size); }
  static float key_term(const float* k, int size) { return inverse_norm(k, size); }
  static void add_query_term_gradient(const float* q, int size, float term, float upstream,
                                      float* out) {
    add_gradient(q, size, term, upstream, out);
  }
  static void add_key_term_gradient(const float* k, int size, float term, float upstream,
                                    float* out) {
    add_gradient(k, size, term, upstream, out);
  }

  static HEED_INLINE Floats value(Floats raw, Floats query_term, Floats key_term,
                                  Floats temperature) {
    return raw * query_term * key_term * temperature;
  }
  static HEED_INLINE ScoreSlopes slopes(Floats raw, Floats query_term, Floats key_term,
                                        Floats temperature) {
    const Floats terms = query_term * key_term;
    const Floats warm = raw * temperature;
    return {terms * temperature, warm * key_term, warm * query_term, raw * terms};
  }
};

}  // namespace heed::kernels::HEED_ISA
