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
class PackedRows;

class EncoderLayer : public torch::nn::Module {
 public:
  explicit EncoderLayer(const LayerOptions& options);

  // What a layer needs besides its input.
  struct Context {
    Pattern pattern;  // joined with that of the options
    AttentionTrace* trace = nullptr;
    // For the part before attention: the real tokens of each row, (B) int64; undefined: all.
    at::Tensor lengths = {};
    std::shared_ptr<const PackedRows> packed = nullptr;  // the input is these; null: it is rows
  };
  // (B, N, C) -> (B, N, C), or both packed.
  at::Tensor forward(const at::Tensor& input, const Context& context) const;
  at::Tensor forward(const at::Tensor& input, const Pattern& pattern = {},
                     AttentionTrace* trace = nullptr, const at::Tensor& lengths = {}) const {
    return forward(input, Context{.pattern = pattern, .trace = trace, .lengths = lengths});
  }

  std::shared_ptr<BeforeAttention> before_attention;  // null: none
  std::shared_ptr<MultiHeadAttention> attention;
  std::shared_ptr<FeedForward> feed_forward;
  Norm before_attention_norm;
  Norm attention_norm;
  Norm feed_forward_norm;

 private:
  // What the part before attention makes of x, packed as x is.
  at::Tensor before(const at::Tensor& x, const Context& context) const;
  // x + dropout(part), in one pass.
  at::Tensor sum(const at::Tensor& x, const at::Tensor& part) const;

  LayerOptions options_;
  Pattern pattern_;  // of the options
};

}  // namespace heed::nn
