// One layer of a transformer encoder: attention and feed-forward, each with a residual connection
// and a layer norm.                                                  Vaswani et al. 2017, figure 1
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "heed/nn/feed_forward.h"
#include "heed/nn/layer_norm.h"
#include "heed/nn/multi_head_attention.h"

namespace heed::nn {

// Where the norm stands: after the residual sum (the original), or before each part (Xiong et al.
// 2020), which trains deep stacks without a warm-up.
enum class NormPlace { kPost, kPre };

// "post", "pre"; throws UsageError otherwise.
NormPlace norm_place_from(std::string_view name);
std::string name_of(NormPlace place);

struct EncoderLayerOptions {
  int64_t width = 0;   // C
  int64_t heads = 1;   // H
  int64_t hidden = 0;  // of the feed-forward part
  NormPlace norm = NormPlace::kPost;
  Activation activation = Activation::kRelu;
  double dropout = 0;            // of both parts' results and of the feed-forward hidden layer
  double attention_dropout = 0;  // of the attention weights
};

class EncoderLayer : public torch::nn::Module {
 public:
  explicit EncoderLayer(const EncoderLayerOptions& options);

  // (B, N, C) -> (B, N, C).
  at::Tensor forward(const at::Tensor& input, const Pattern& pattern,
                     AttentionTrace* trace = nullptr) const;

  std::shared_ptr<MultiHeadAttention> attention;
  std::shared_ptr<FeedForward> feed_forward;
  std::shared_ptr<LayerNorm> attention_norm;
  std::shared_ptr<LayerNorm> feed_forward_norm;

 private:
  at::Tensor drop(const at::Tensor& values) const;

  EncoderLayerOptions options_;
};

}  // namespace heed::nn
