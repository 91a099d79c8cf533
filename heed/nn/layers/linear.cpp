#include "heed/nn/layers/linear.h"

#include <ATen/ATen.h>

#include "heed/nn/parameters/init.h"
#include "heed/nn/parameters/low_rank.h"

namespace heed::nn {

Linear::Linear(const LinearOptions& options) {
  weight = register_parameter("weight", at::empty({options.out, options.in}));
  if (options.bias) bias = register_parameter("bias", at::zeros({options.out}));
  init_weight(weight, Init::kXavierUniform);
}

at::Tensor Linear::forward(const at::Tensor& input, Activation activation) const {
  if (const auto parts = low_rank_of(*this)) {
    return parts->forward(input, weight, bias, activation);
  }
  return heed::linear(input, weight, bias, activation);
}

}  // namespace heed::nn
