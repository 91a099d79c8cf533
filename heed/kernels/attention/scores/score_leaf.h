// What the scores are written with, and what every engine calls of them.
#pragma once

#include "heed/kernels/attention/scores/score.h"
#include "heed/kernels/vector/simd_math_leaf.h"

namespace heed::kernels::HEED_ISA {

inline constexpr int kPanel = 2 * kLanes;  // lanes of a panel: see PairwiseTile

// The derivatives of a product score.
struct ScoreSlopes {
  Floats raw;
  Floats query_term;
  Floats key_term;
  Floats parameter;
};

template <typename Score>
void terms_of(TermSide side, const float* rows, int64_t stride, int count, int size, float* out) {
  for (int i = 0; i < count; ++i) {
    const float* row = rows + i * stride;
    out[i] = side == TermSide::kQuery ? Score::query_term(row, size) : Score::key_term(row, size);
  }
}

template <typename Score>
void add_term_gradients(TermSide side, const float* rows, int64_t stride, int count, int size,
                        const float* terms, const float* upstream, float* out, int64_t out_stride) {
  for (int i = 0; i < count; ++i) {
    if (upstream[i] == 0) continue;
    const float* row = rows + i * stride;
    float* to = out + i * out_stride;
    if (side == TermSide::kQuery) {
      Score::add_query_term_gradient(row, size, terms[i], upstream[i], to);
    } else {
      Score::add_key_term_gradient(row, size, terms[i], upstream[i], to);
    }
  }
}

template <typename Score>
constexpr void describe_product_score(ScoreFunctions& f) {
  f.name = Score::kName;
  f.is_identity = Score::kIsIdentity;
  f.has_terms = Score::kHasTerms;
  f.parameters = Score::kParameters;
  f.terms = terms_of<Score>;
  f.add_term_gradients = add_term_gradients<Score>;
}

template <typename Score>
constexpr void describe_pairwise_score(ScoreFunctions& f) {
  f.name = Score::kName;
  f.is_pairwise = true;
  f.is_identity = true;
  f.parameters = 1;
  f.prepare = Score::prepare;
  f.pairwise_score = Score::score;
  f.pairwise_gradient = Score::gradient;
}

}  // namespace heed::kernels::HEED_ISA
