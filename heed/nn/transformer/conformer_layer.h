// A layer for sounds: attention for what is far, convolution for what is near, between two halves
// of a feed-forward part.                                                       Gulati et al. 2020
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "heed/nn/attention/multi_head_attention.h"
#include "heed/nn/transformer/layer_options.h"

namespace heed::nn {

struct ConvolutionOptions {
  int64_t d_model = 0;       // C
  int64_t kernel_size = 31;  // odd: neighbours that a step sees, itself among them
  bool causal = false;       // they all stand before it
};

// Linear to 2 C, gated by a sigmoid (Dauphin et al. 2017), a convolution of each feature by itself
// over time, a norm, SiLU, linear.                                    Gulati et al. 2020, figure 2
// The norm is a layer norm where the paper has a batch norm: what a sound gives then depends on no
// other sound.
class ConvolutionModule : public torch::nn::Module {
 public:
  explicit ConvolutionModule(const ConvolutionOptions& options);

  // (B, N, C) -> (B, N, C). What stands behind the first lengths[b] of a row changes nothing
  // before. Of a causal one `before` is what the rows' steps before these left behind (undefined:
  // there were none), and then what these leave.
  at::Tensor forward(const at::Tensor& x, const at::Tensor& lengths = {},
                     at::Tensor* before = nullptr) const;

  std::shared_ptr<Linear> up;
  at::Tensor weight;  // (C, 1, kernel_size)
  at::Tensor bias;    // (C)
  Norm norm;
  std::shared_ptr<Linear> down;

 private:
  // (B, N, C) with the kernel_size − 1 steps before them in front.
  at::Tensor with_steps_before(const at::Tensor& x, const at::Tensor& lengths,
                               at::Tensor* before) const;

  bool causal_;
};

class ConformerLayer : public torch::nn::Module {
 public:
  // norm_first of the options is left aside: here norms are before each part and behind the last.
  ConformerLayer(const LayerOptions& options, int64_t kernel_size);

  // (B, N, C) -> (B, N, C). The pattern, of padding where there are lengths, is joined with that of
  // the options.
  at::Tensor forward(const at::Tensor& input, const Pattern& pattern = {},
                     const at::Tensor& lengths = {}, AttentionTrace* trace = nullptr) const;

  std::shared_ptr<FeedForward> first_feed_forward;
  std::shared_ptr<MultiHeadAttention> attention;
  std::shared_ptr<ConvolutionModule> convolution;
  std::shared_ptr<FeedForward> feed_forward;
  Norm first_feed_forward_norm, attention_norm, convolution_norm, feed_forward_norm, final_norm;

 private:
  // x + share · dropout(part).
  at::Tensor sum(const at::Tensor& x, const at::Tensor& part, double share = 1) const;

  LayerOptions options_;
  Pattern pattern_;  // of the options
};

class ConformerEncoder : public torch::nn::Module {
 public:
  ConformerEncoder(int64_t count, const LayerOptions& options, int64_t kernel_size);

  // As a layer.
  at::Tensor forward(const at::Tensor& input, const at::Tensor& lengths = {},
                     AttentionTrace* trace = nullptr) const;

  std::vector<std::shared_ptr<ConformerLayer>> layers;
};

}  // namespace heed::nn
