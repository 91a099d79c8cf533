// y = activation(x · Wᵀ + b).
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>

#include "heed/ops/linear.h"

namespace heed::nn {

struct LinearOptions {
  int64_t in = 0;
  int64_t out = 0;
  bool bias = true;
};

class Linear : public torch::nn::Module {
 public:
  explicit Linear(const LinearOptions& options);

  // (..., in) -> (..., out).
  at::Tensor forward(const at::Tensor& input, Activation activation = Activation::kNone) const;

  at::Tensor weight;  // (out, in)
  at::Tensor bias;    // (out), or undefined
};

}  // namespace heed::nn
