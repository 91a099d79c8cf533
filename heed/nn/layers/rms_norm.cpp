#include "heed/nn/layers/rms_norm.h"

#include <ATen/ATen.h>

#include "heed/ops/norm.h"

namespace heed::nn {

RmsNorm::RmsNorm(int64_t width, double epsilon, bool adds_one)
    : epsilon_(epsilon), adds_one_(adds_one) {
  weight = register_parameter("weight", adds_one ? at::zeros({width}) : at::ones({width}));
}

at::Tensor RmsNorm::forward(const at::Tensor& input) const {
  return heed::rms_norm(input, adds_one_ ? weight + 1 : weight, epsilon_);
}

}  // namespace heed::nn
