// Sounds made shorter before attention reads them: convolutions over time and frequency with a step
// of two each, then one vector a step of time.                     Dong et al. 2018; Gulati et al.
// 2020
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "heed/nn/layers/linear.h"

namespace heed::nn {

// x (B, N, ...) with 0 in place of what stands behind the first lengths[b] (int64) of each row;
// undefined lengths: x itself.
at::Tensor without_padding(const at::Tensor& x, const at::Tensor& lengths);

struct SubsamplingOptions {
  int64_t bins = 0;       // M, of a frame
  int64_t factor = 4;     // a power of two: frames that become one; 1: none is lost
  int64_t channels = 32;  // of the convolutions
  int64_t d_model = 0;    // C
};

class Subsampling : public torch::nn::Module {
 public:
  explicit Subsampling(const SubsamplingOptions& options);

  struct Result {
    at::Tensor states;   // (B, ⌈T / factor⌉, C)
    at::Tensor lengths;  // (B), or undefined
  };
  // frames (B, T, M), of whose rows the first lengths[b] count. What stands behind them changes
  // nothing.
  Result forward(const at::Tensor& frames, const at::Tensor& lengths = {}) const;

  // ⌈frames / factor⌉.
  static int64_t steps(int64_t frames, int64_t factor) { return (frames + factor - 1) / factor; }

  std::vector<at::Tensor> weights;     // (channels, channels or 1, 3, 3) of each convolution
  std::vector<at::Tensor> biases;      // (channels)
  std::shared_ptr<Linear> projection;  // channels · ⌈M / factor⌉ -> C
};

}  // namespace heed::nn
