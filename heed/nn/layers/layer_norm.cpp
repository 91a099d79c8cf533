#include "heed/nn/layers/layer_norm.h"

#include <ATen/ATen.h>

#include "heed/ops/norm.h"

namespace heed::nn {

LayerNorm::LayerNorm(int64_t width, double epsilon, bool has_bias) : epsilon_(epsilon) {
  weight = register_parameter("weight", at::ones({width}));
  if (has_bias) bias = register_parameter("bias", at::zeros({width}));
}

at::Tensor LayerNorm::forward(const at::Tensor& input) const {
  return heed::layer_norm(input, weight, bias, epsilon_);
}

}  // namespace heed::nn
