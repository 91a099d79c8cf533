// Layer normalisation over the last dimension.                      Ba, Kiros & Hinton 2016, eq. 4
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>

namespace heed::nn {

class LayerNorm : public torch::nn::Module {
 public:
  explicit LayerNorm(int64_t width, double epsilon = 1e-5, bool has_bias = true);

  // (..., C) -> (..., C): (x − mean) / √(variance + ε) · weight + bias.
  at::Tensor forward(const at::Tensor& input) const;

  at::Tensor weight;  // (C)
  at::Tensor bias;    // (C), or undefined

 private:
  double epsilon_;
};

}  // namespace heed::nn
