// The list of scores as the row leaves call them.
#pragma once

#include "heed/kernels/attention/rows/row_kernels.h"
#include "heed/kernels/attention/scores/score_list_leaf.h"

namespace heed::kernels::HEED_ISA {
namespace {

template <typename Score>
void row_values(const RowScoreBlock& block) {
  const Floats query_term = broadcast(block.query_term);
  const Floats parameter = broadcast(block.parameter);
  for (int j = 0; j < block.count; j += kLanes) {
    const Floats key_term = Score::kHasTerms ? load(block.key_terms + j) : zeros();
    store(block.values + j, Score::value(load(block.raw + j), query_term, key_term, parameter));
  }
}

template <typename Score>
void row_gradients(RowScoreBlock& block) {
  const Floats query_term = broadcast(block.query_term);
  const Floats parameter = broadcast(block.parameter);
  Floats of_query = zeros();
  Floats of_parameter = zeros();
  for (int j = 0; j < block.count; j += kLanes) {
    const Floats key_term = Score::kHasTerms ? load(block.key_terms + j) : zeros();
    const Floats grad = load(block.grads + j);
    const ScoreSlopes slopes = Score::slopes(load(block.raw + j), query_term, key_term, parameter);
    const int left = block.count - j;
    const Mask live = mask_of_bits(first_bits(left < kLanes ? left : kLanes));
    store(block.raw_grads + j, grad * slopes.raw);
    store(block.key_term_grads + j, grad * slopes.key_term);
    of_query = of_query + select(live, grad * slopes.query_term, zeros());
    of_parameter = of_parameter + select(live, grad * slopes.parameter, zeros());
  }
  block.query_term_grad = sum_lanes(of_query);
  block.parameter_grad = sum_lanes(of_parameter);
}

template <typename Score>
constexpr RowScore row_product_score() {
  RowScore s;
  describe_product_score<Score>(s);
  s.values = row_values<Score>;
  s.gradients = row_gradients<Score>;
  return s;
}

template <typename Score>
constexpr RowScore row_pairwise_score() {
  RowScore s;
  describe_pairwise_score<Score>(s);
  return s;
}

#define PRODUCT_SCORE(Score) row_product_score<Score>()
#define PAIRWISE_SCORE(Score) row_pairwise_score<Score>()
inline constexpr RowScore kRowScores[] = {HEED_SCORE_LIST};
#undef PRODUCT_SCORE
#undef PAIRWISE_SCORE

}  // namespace
}  // namespace heed::kernels::HEED_ISA
