// The layer for tags that depend on their neighbours: a linear-chain conditional random field that
// owns its transitions and knows which tags may follow which.
//                                                    Lafferty, McCallum & Pereira 2001, section 3
//
//   const std::vector<std::string> tags = {"O", "B-PER", "I-PER"};
//   nn::Crf crf(tags, text::TagScheme::kBio);
//   at::Tensor losses = crf.loss(emissions, targets, lengths);     // (B), to be learnt from
//   crf.best(emissions, lengths);                                  // tags that the scheme allows
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "heed/nn/crf/chain_rules.h"
#include "heed/nn/crf/linear_chain.h"
#include "heed/text/words/entity_tags.h"

namespace heed::nn {

// What the scheme allows among these tags of entities: "O", "B-PER" and so on. Throws UsageError
// for a tag that the scheme does not have.
ChainRules entity_rules(std::span<const std::string> tags, text::TagScheme scheme);

// Of K tags, in the order of the emissions. Everything starts at 0: at first only the emissions and
// the rules count. Emissions (B, N, K) float32 or float64; lengths (B) int64, undefined: all N.
// Errors as those of the functions of linear_chain.h.
class Crf : public torch::nn::Module {
 public:
  explicit Crf(const ChainRules& rules);  // ChainRules(K): any tag behind any other
  Crf(std::span<const std::string> tags, text::TagScheme scheme)
      : Crf(entity_rules(tags, scheme)) {}

  // −log p(targets | emissions) of each sequence in nats, (B). targets (B, N) int64.
  at::Tensor loss(const at::Tensor& emissions, const at::Tensor& targets,
                  const at::Tensor& lengths = {}) const;

  // The most probable tags of each sequence, as many as it has tokens.
  std::vector<std::vector<int64_t>> best(const at::Tensor& emissions,
                                         const at::Tensor& lengths = {}) const;

  // p(tag of each token | emissions), (B, N, K) float64; 0 behind the end. No gradients.
  at::Tensor marginals(const at::Tensor& emissions, const at::Tensor& lengths = {}) const;

  const ChainRules& rules() const { return rules_; }

  at::Tensor transitions;  // (K, K): from the tag of the row to that of the column
  at::Tensor begin;        // (K)
  at::Tensor end;          // (K)

 private:
  ChainScores chain(const at::Tensor& emissions, const at::Tensor& lengths) const;

  ChainRules rules_;
};

}  // namespace heed::nn
