// Several vectors as one: their mean, weighted by attention from a learned vector.
//
//   u_n = tanh(W h_n + b),   α = softmax over n of (uᵀ_n · u),   result = Σ_n α_n h_n
//
//                                                             Yang et al. 2016, equations 5 to 10
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "heed/nn/layers/linear.h"

namespace heed::nn {

class AttentionPooling : public torch::nn::Module {
 public:
  explicit AttentionPooling(int64_t width);  // C

  // (B, N, C), of whose rows the first lengths[b] (int64) count; undefined: all -> (B, C); zeros
  // where that is none. With `weights`, leaves α there: (B, N) float32 without gradients, 0 in the
  // padding.
  at::Tensor forward(const at::Tensor& states, const at::Tensor& lengths = {},
                     at::Tensor* weights = nullptr) const;

  std::shared_ptr<Linear> projection;  // W, b: C -> C
  at::Tensor context;                  // u (1, C)
};

}  // namespace heed::nn
