#include "heed/nn/rms_norm.h"

#include <ATen/ATen.h>

#include "heed/ops/norm.h"

namespace heed::nn {

RmsNorm::RmsNorm(int64_t width, double epsilon) : epsilon_(epsilon) {
  weight = register_parameter("weight", at::ones({width}));
}

at::Tensor RmsNorm::forward(const at::Tensor& input) const {
  return heed::rms_norm(input, weight, epsilon_);
}

}  // namespace heed::nn
