// heed::linear on Heed's own kernels.
#pragma once

#include <ATen/core/Tensor.h>

#include "heed/ops/linear.h"

namespace heed {

// What one product is made of: input (..., K) and weight (N, K) of at least one element each, bias
// (N) or undefined, all on the CPU, float32 or bfloat16.
struct LinearProduct {
  at::Tensor input;
  at::Tensor weight;
  at::Tensor bias;
  Activation activation = Activation::kNone;
  at::ScalarType type = at::kFloat;  // of the operands and of the output
};

at::Tensor own_linear(const LinearProduct& product);

}  // namespace heed
