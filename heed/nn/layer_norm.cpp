#include "heed/nn/layer_norm.h"

#include <ATen/ATen.h>

namespace heed::nn {

LayerNorm::LayerNorm(int64_t width, double epsilon) : epsilon_(epsilon) {
  weight = register_parameter("weight", at::ones({width}));
  bias = register_parameter("bias", at::zeros({width}));
}

at::Tensor LayerNorm::forward(const at::Tensor& input) const {
  return at::layer_norm(input, weight.sizes(), weight, bias, epsilon_);
}

}  // namespace heed::nn
