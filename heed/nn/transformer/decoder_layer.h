// One layer of a transformer decoder: self-attention, cross-attention to a memory where there is
// one, and feed-forward, each with a residual connection and a norm (Vaswani et al. 2017, figure
// 1), and another part before them where one is wanted.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <memory>
#include <vector>

#include "heed/nn/attention/multi_head_attention.h"
#include "heed/nn/transformer/layer_options.h"

namespace heed::nn {

class BeforeAttention;

class DecoderLayer : public torch::nn::Module {
 public:
  explicit DecoderLayer(const LayerOptions& options);

  struct Context {
    SelfAttentionContext self;  // its trace is that of both
    const ProjectedMemory* memory = nullptr;
    Pattern memory_pattern = {};
    // For the part before attention: the real tokens of each row, (B) int64 (undefined: all), and
    // what it keeps for the tokens that follow these; null: none follow.
    at::Tensor lengths = {};
    std::vector<at::Tensor>* carried = nullptr;
  };
  // (B, N, C) -> (B, N, C).
  at::Tensor forward(const at::Tensor& input, const Context& context) const;

  std::shared_ptr<BeforeAttention> before_attention;  // null: none
  std::shared_ptr<MultiHeadAttention> attention;
  std::shared_ptr<CrossAttention> cross_attention;  // null without a memory
  std::shared_ptr<FeedForward> feed_forward;
  Norm before_attention_norm;
  Norm attention_norm;
  Norm cross_attention_norm;
  Norm feed_forward_norm;
  Norm attention_last_norm;  // behind the parts, before the sum; usually none
  Norm feed_forward_last_norm;

 private:
  // x + dropout(part), in one pass.
  at::Tensor sum(const at::Tensor& x, const at::Tensor& part) const;

  LayerOptions options_;
};

}  // namespace heed::nn
