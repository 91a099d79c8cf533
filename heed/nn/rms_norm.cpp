#include "heed/nn/rms_norm.h"

#include <ATen/ATen.h>

namespace heed::nn {

RmsNorm::RmsNorm(int64_t width, double epsilon) : epsilon_(epsilon) {
  weight = register_parameter("weight", at::ones({width}));
}

at::Tensor RmsNorm::forward(const at::Tensor& input) const {
  return at::rms_norm(input, weight.sizes(), weight, epsilon_);
}

}  // namespace heed::nn
