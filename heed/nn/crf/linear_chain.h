// Sequences of tags whose neighbours depend on each other: the loss of a linear-chain conditional
// random field, and the best sequence.               Lafferty, McCallum & Pereira 2001, section 3
//
//   p(y | x) = e^s(y) / Σ_z e^s(z)
//   s(y) = begin[y_0] + Σ_t emissions[t, y_t] + Σ_t transitions[y_t−1, y_t] + end[y_last]
//
// Sequences that the rules forbid have probability 0. Sums run in float64, one sequence after the
// other, so the results are the same bits for any number of threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "heed/nn/crf/chain_rules.h"

namespace heed::nn {

// K tags, B sequences of at most N positions.
struct ChainScores {
  at::Tensor emissions;    // (B, N, K) float32 or float64
  at::Tensor transitions;  // (K, K), the same dtype: from the tag of the row to that of the column
  at::Tensor begin;        // (K)
  at::Tensor end;          // (K)
  at::Tensor lengths;      // (B) int64 from 0 to N; what lies behind has no influence
};

// −log p(targets | x) of each sequence in nats, (B) in the dtype of the emissions; 0 for an empty
// one. targets (B, N) int64. Differentiable, once, by the emissions, transitions, begin and end.
// Throws UsageError where shapes or dtypes do not fit, DataError for targets that are no tags or
// that the rules forbid.
at::Tensor chain_loss(const ChainScores& scores, const ChainRules& rules,
                      const at::Tensor& targets);

// The most probable tags of each sequence, as many as it has positions (Viterbi 1967). Of equally
// good ones, that whose last differing tag has the smaller number. Errors as chain_loss.
std::vector<std::vector<int64_t>> best_chains(const ChainScores& scores, const ChainRules& rules);

// p(y_t = tag | x), (B, N, K) float64; 0 behind the end. No gradients. Errors as chain_loss.
at::Tensor chain_marginals(const ChainScores& scores, const ChainRules& rules);

}  // namespace heed::nn
