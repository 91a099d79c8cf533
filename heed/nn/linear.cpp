#include "heed/nn/linear.h"

#include <ATen/ATen.h>

#include "heed/nn/initialise.h"

namespace heed::nn {

Linear::Linear(const LinearOptions& options) {
  weight = register_parameter("weight", at::empty({options.out, options.in}));
  if (options.bias) bias = register_parameter("bias", at::zeros({options.out}));
  initialise(weight, Initialisation::kXavierUniform);
}

at::Tensor Linear::forward(const at::Tensor& input, Activation activation) const {
  return heed::linear(input, weight, bias, activation);
}

}  // namespace heed::nn
