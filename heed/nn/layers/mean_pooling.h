// Several vectors as one: their mean, padding left out.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

namespace heed::nn {

// (B, N, C), of whose rows the first lengths[b] (int64) count; undefined: all -> (B, C); zeros
// where that is none. Throws UsageError where the lengths are not (B) int64.
at::Tensor mean_over_tokens(const at::Tensor& states, const at::Tensor& lengths = {});

// The same as a module without parameters.
class MeanPooling : public torch::nn::Module {
 public:
  at::Tensor forward(const at::Tensor& states, const at::Tensor& lengths = {}) const {
    return mean_over_tokens(states, lengths);
  }
};

}  // namespace heed::nn
