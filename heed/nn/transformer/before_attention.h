// A part of a layer that stands before its attention and knows what is near, or what came before:
//
//   conv        a gated convolution over neighbours, as in Yu et al. 2018 (QANet), figure 1; the
//               module is that of Gulati et al. 2020, figure 2
//   gru, lstm   a recurrent layer, as in Wang et al. 2019 (R-Transformer), section 3
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "heed/nn/layers/recurrent.h"
#include "heed/nn/transformer/conformer_layer.h"
#include "heed/nn/transformer/layer_options.h"

namespace heed::nn {

// Both, as in encoders: a token sees those behind it too. Forward: it sees those before it alone.
enum class Directions : uint8_t { kBoth, kForward };

class BeforeAttention : public torch::nn::Module {
 public:
  // Of layers whose before_attention is not none.
  BeforeAttention(const LayerOptions& options, Directions directions);

  // (B, N, C) -> (B, N, C). Of row b the first lengths[b] (int64) count; undefined: all. What
  // stands behind them changes nothing. `carried`, of those that read forward: what the tokens
  // before these left behind (empty: there were none), and then what these leave: tensors (B, …).
  at::Tensor forward(const at::Tensor& x, const at::Tensor& lengths = {},
                     std::vector<at::Tensor>* carried = nullptr) const;

  std::shared_ptr<ConvolutionModule> convolution;  // one of the two; the other is null
  std::shared_ptr<Recurrent> recurrent;
};

// That of a layer, registered in it as "before_attention"; null where it has none.
std::shared_ptr<BeforeAttention> make_before_attention(torch::nn::Module& layer,
                                                       const LayerOptions& options,
                                                       Directions directions);

}  // namespace heed::nn
