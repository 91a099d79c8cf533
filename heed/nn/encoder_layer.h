// One layer of a transformer encoder: attention and feed-forward, each with a residual connection
// and a norm.                                                        Vaswani et al. 2017, figure 1
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <memory>

#include "heed/nn/attention/multi_head_attention.h"
#include "heed/nn/layer_options.h"

namespace heed::nn {

class EncoderLayer : public torch::nn::Module {
 public:
  explicit EncoderLayer(const LayerOptions& options);

  // (B, N, C) -> (B, N, C). The pattern is joined with that of the options.
  at::Tensor forward(const at::Tensor& input, const Pattern& pattern = {},
                     AttentionTrace* trace = nullptr) const;

  std::shared_ptr<MultiHeadAttention> attention;
  std::shared_ptr<FeedForward> feed_forward;
  Norm attention_norm;
  Norm feed_forward_norm;

 private:
  // x + dropout(part), in one pass.
  at::Tensor sum(const at::Tensor& x, const at::Tensor& part) const;

  LayerOptions options_;
  Pattern pattern_;  // of the options
};

}  // namespace heed::nn
