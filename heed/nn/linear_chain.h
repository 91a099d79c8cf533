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

namespace heed::nn {

// K tags, B sequences of at most N places.
struct ChainScores {
  at::Tensor emissions;    // (B, N, K) float32 or float64
  at::Tensor transitions;  // (K, K), the same dtype: from the tag of the row to that of the column
  at::Tensor begin;        // (K)
  at::Tensor end;          // (K)
  at::Tensor lengths;      // (B) int64 from 0 to N; what lies behind has no influence
};

// Which tags may follow which: a byte each, 0 forbids. Every tag needs a sequence that holds it.
class ChainRules {
 public:
  // All K tags in any order.
  explicit ChainRules(int64_t tags);

  // `transitions` has K² values, row by row; `begin` and `end` K. Throws UsageError for other sizes
  // and where no sequence of one place is allowed.
  struct Allowed {
    std::vector<uint8_t> transitions;
    std::vector<uint8_t> begin;
    std::vector<uint8_t> end;
  };
  explicit ChainRules(const Allowed& allowed);

  int64_t tags() const { return static_cast<int64_t>(before_.size()); }
  bool may_begin(int64_t tag) const { return allowed_.begin[static_cast<size_t>(tag)] != 0; }
  bool may_end(int64_t tag) const { return allowed_.end[static_cast<size_t>(tag)] != 0; }
  bool may_follow(int64_t before, int64_t tag) const {
    return allowed_.transitions[static_cast<size_t>(before * tags() + tag)] != 0;
  }
  // The tags that may stand before `tag`, and behind it.
  const std::vector<int32_t>& before(int64_t tag) const {
    return before_[static_cast<size_t>(tag)];
  }
  const std::vector<int32_t>& behind(int64_t tag) const {
    return behind_[static_cast<size_t>(tag)];
  }

 private:
  void index();

  Allowed allowed_;
  std::vector<std::vector<int32_t>> before_;
  std::vector<std::vector<int32_t>> behind_;
};

// −log p(targets | x) of each sequence in nats, (B) in the dtype of the emissions; 0 for an empty
// one. targets (B, N) int64. Differentiable, once, by the emissions, transitions, begin and end.
// Throws UsageError where shapes or dtypes do not fit, DataError for targets that are no tags or
// that the rules forbid.
at::Tensor chain_loss(const ChainScores& scores, const ChainRules& rules,
                      const at::Tensor& targets);

// The most probable tags of each sequence, as many as it has places (Viterbi 1967). Of equally good
// ones, that whose last differing tag has the smaller number. Errors as chain_loss.
std::vector<std::vector<int64_t>> best_chains(const ChainScores& scores, const ChainRules& rules);

// p(y_t = tag | x), (B, N, K) float64; 0 behind the end. No gradients. Errors as chain_loss.
at::Tensor chain_marginals(const ChainScores& scores, const ChainRules& rules);

}  // namespace heed::nn
