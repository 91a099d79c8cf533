// Finds the layer in which NaN or infinity first appeared.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <functional>
#include <string>

namespace heed::training {

// Runs `loss` once more with a look at every result, forward and backward, and says where the first
// one stands that is not finite:
//
//   "in the parameter encoder.layer_0.norm.weight"
//   "in the output of the layer encoder.layer_1.feed_forward.up"
//   "behind the layer classifier (PowBackward0)"         computed from that layer's output
//   "in the gradient of the layer embedding"
//
// Empty where all is finite this time. `loss` must compute what it did when it failed: the same
// random numbers. Gradients are cleared.
//
// It knows no layer: it looks at the inputs and outputs of every torch operation on this thread
// (at::RecordFunction) and asks the graph of autograd which parameters the first bad tensor was
// computed with. Minus infinity alone is no finding, because masks are made of it.
std::string first_not_finite(torch::nn::Module& module, const std::function<at::Tensor()>& loss);

}  // namespace heed::training
