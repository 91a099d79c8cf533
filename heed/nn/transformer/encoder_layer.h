// One layer of a transformer encoder: attention and feed-forward, each with a residual connection
// and a norm (Vaswani et al. 2017, figure 1), and another part before them where one is wanted.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <memory>

#include "heed/nn/attention/multi_head_attention.h"
#include "heed/nn/transformer/layer_options.h"

namespace heed::nn {

class BeforeAttention;

class EncoderLayer : public torch::nn::Module {
 public:
  explicit EncoderLayer(const LayerOptions& options);

  // (B, N, C) -> (B, N, C). The pattern is joined with that of the options. `lengths` (B) int64,
  // the real tokens of each row, is for the part before attention; undefined: all.
  at::Tensor forward(const at::Tensor& input, const Pattern& pattern = {},
                     AttentionTrace* trace = nullptr, const at::Tensor& lengths = {}) const;

  std::shared_ptr<BeforeAttention> before_attention;  // null: none
  std::shared_ptr<MultiHeadAttention> attention;
  std::shared_ptr<FeedForward> feed_forward;
  Norm before_attention_norm;
  Norm attention_norm;
  Norm feed_forward_norm;

 private:
  // x + dropout(part), in one pass.
  at::Tensor sum(const at::Tensor& x, const at::Tensor& part) const;

  LayerOptions options_;
  Pattern pattern_;  // of the options
};

}  // namespace heed::nn
