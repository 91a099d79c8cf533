// Normalisation by the root of the mean square over the last dimension.
// Zhang & Sennrich 2019, eq. 4
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>

namespace heed::nn {

class RmsNorm : public torch::nn::Module {
 public:
  explicit RmsNorm(int64_t width, double epsilon = 1e-6, bool adds_one = false);

  // (..., C) -> (..., C): x / √(mean(x²) + ε) · weight (or 1 + weight), in float32 for 16-bit
  // inputs.
  at::Tensor forward(const at::Tensor& input) const;

  at::Tensor weight;  // (C)

 private:
  double epsilon_;
  bool adds_one_;
};

}  // namespace heed::nn
