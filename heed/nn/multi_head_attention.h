// Multi-head attention: project, attend in each head, join the heads, project.
//                                                                Vaswani et al. 2017, section 3.2.2
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "heed/nn/linear.h"
#include "heed/ops/attention.h"

namespace heed::nn {

struct MultiHeadAttentionOptions {
  int64_t width = 0;   // C, divisible by heads
  int64_t heads = 1;   // H
  double dropout = 0;  // of the weights, in training
};

// Asks the attention layers that see it to leave their weights behind: one (B, H, Nq, Nk) tensor a
// layer, in the order in which the layers ran. The result of a layer does not change.
struct AttentionTrace {
  std::vector<at::Tensor> weights;
};

class MultiHeadAttention : public torch::nn::Module {
 public:
  explicit MultiHeadAttention(const MultiHeadAttentionOptions& options);

  // Self-attention: (B, N, C) -> (B, N, C).
  at::Tensor forward(const at::Tensor& input, const Pattern& pattern,
                     AttentionTrace* trace = nullptr) const;

  std::shared_ptr<Linear> query_key_value;  // C -> 3 · C, one product for all three
  std::shared_ptr<Linear> output;           // C -> C

 private:
  MultiHeadAttentionOptions options_;
};

}  // namespace heed::nn
