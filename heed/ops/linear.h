// heed::linear: the dense layer of every network here, with its bias and activation in one pass.
//
//   output = activation(input · weightᵀ + bias)
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace heed {

enum class Activation : uint8_t {
  kNone,
  kRelu,
  kGelu,      // x Φ(x)                                        Hendrycks and Gimpel 2016
  kGeluTanh,  // its approximation by tanh
  kSilu,      // x / (1 + e^−x)                                Elfwing et al. 2017
};

// "none", "relu", "gelu", "gelu_tanh", "silu"; throws UsageError otherwise.
Activation activation_from(std::string_view name);
std::string name_of(Activation activation);

// By torch's operators, on any device and dtype.
at::Tensor activate(const at::Tensor& input, Activation activation);

// input (..., K), weight (N, K), bias (N) or undefined -> (..., N). Differentiable, twice too.
// Under CPU autocast the product is one of bfloat16, accumulated in float32, and so is the output;
// the gradients of float32 inputs come out in float32 without having been rounded in between.
//
// float32 and bfloat16 on a CPU go to Heed's own kernels where those are the faster ones (see
// linear_engine.h), and then give the same bits for any number of threads; everything else goes to
// at::linear. Without gradients a weight is packed at its first use and the packed copy is kept, as
// large as the weight, until the weight changes or dies; a weight that is being trained is packed
// for each product. Changes are seen by the weight's version counter, which every in-place
// operation and optimizer moves; after writing to the memory behind torch's back (through
// data_ptr(), or through .data(), which counts apart) call forget_packed_weights().
//
// Throws UsageError where the shapes do not fit, and what at::linear throws where dtypes or devices
// do not.
at::Tensor linear(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias = {},
                  Activation activation = Activation::kNone);

// The same by torch's operators alone, which every transform of torch can see into.
at::Tensor torch_linear(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                        Activation activation);

// Drops every packed copy of a weight.
void forget_packed_weights();

}  // namespace heed
