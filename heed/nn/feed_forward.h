// Two linear layers with a non-linearity between them, the same for each position.
//                                                          Vaswani et al. 2017, section 3.3, eq. 2
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "heed/nn/linear.h"

namespace heed::nn {

using heed::Activation;
using heed::activation_from;

struct FeedForwardOptions {
  int64_t width = 0;   // C
  int64_t hidden = 0;  // usually 4 · C
  Activation activation = Activation::kRelu;
  double dropout = 0;
};

class FeedForward : public torch::nn::Module {
 public:
  explicit FeedForward(const FeedForwardOptions& options);

  // (..., C) -> (..., C).
  at::Tensor forward(const at::Tensor& input) const;

  std::shared_ptr<Linear> up;    // C -> hidden
  std::shared_ptr<Linear> down;  // hidden -> C

 private:
  FeedForwardOptions options_;
};

}  // namespace heed::nn
