#include "heed/ops/linear.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

#include <optional>
#include <string>

#include "heed/base/error.h"
#include "heed/kernels/vector/isa.h"
#include "heed/kernels/verbose.h"
#include "heed/ops/dense/linear_engine.h"
#include "heed/ops/dense/linear_function.h"
#include "heed/ops/dense/plain_tensor.h"
#include "heed/ops/operator_workers.h"
#include "heed/ops/tensor_text.h"

namespace heed {
namespace {

constexpr struct {
  std::string_view name;
  Activation activation;
} kNames[] = {{"none", Activation::kNone},
              {"relu", Activation::kRelu},
              {"gelu", Activation::kGelu},
              {"gelu_tanh", Activation::kGeluTanh},
              {"silu", Activation::kSilu}};

TensorText text_of_tensor(const at::Tensor& t) { return {t, /*with_device=*/true}; }

void check_shapes(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
  check_usage(weight.defined() && weight.dim() == 2, "linear: expected a weight of (out, in), got ",
              text_of_tensor(weight));
  check_usage(input.defined() && input.dim() >= 1 && input.size(-1) == weight.size(1),
              "linear: expected an input of (..., ", weight.size(1), ") for a weight of ",
              text_of_tensor(weight), ", got ", text_of_tensor(input));
  check_usage(!bias.defined() || (bias.dim() == 1 && bias.size(0) == weight.size(0)),
              "linear: expected a bias of (", weight.size(0), ") for a weight of ",
              text_of_tensor(weight), ", got ", text_of_tensor(bias));
  check_usage(
      weight.device() == input.device() && (!bias.defined() || bias.device() == input.device()),
      "linear: expected a weight and a bias on the device of the input, ", text_of_tensor(input),
      ", got ", text_of_tensor(weight), " and ", text_of_tensor(bias));
}

// HEED_VERBOSE=1: whose product this is, and why it is not Heed's own.
void say_engine(const LinearProduct& p, const char* not_own) {
  if (!kernels::is_verbose()) return;
  std::string line = not_own != nullptr ? std::string("linear: engine torch; ")
                                        : text_of("linear: engine own, ", kernels::isa_name(), ", ",
                                                  OperatorWorkers().count(), " threads; ");
  line +=
      text_of("input ", text_of_tensor(p.input), ", weight ", text_of_tensor(p.weight),
              p.bias.defined() ? ", bias" : ", no bias", ", activation ", name_of(p.activation));
  if (not_own != nullptr) line += text_of("; not own: ", not_own);
  kernels::say_verbose(line);
}

at::Tensor by_torch(const LinearProduct& p, const char* not_own) {
  say_engine(p, not_own);
  return activate(at::linear(p.input, p.weight, p.bias), p.activation);
}

// The type of operands and output if Heed's own kernels can take this product.
std::optional<at::ScalarType> own_type(const at::Tensor& input, const at::Tensor& weight,
                                       const at::Tensor& bias) {
  if (!is_plain(input) || !is_plain(weight) || (bias.defined() && !is_plain(bias))) return {};
  if (input.numel() == 0 || weight.numel() == 0) return {};
  if (at::autocast::is_autocast_enabled(at::kCPU)) {
    if (at::autocast::get_autocast_dtype(at::kCPU) != at::kBFloat16) return {};
    return at::kBFloat16;
  }
  const at::ScalarType type = input.scalar_type();
  if (weight.scalar_type() != type || (bias.defined() && bias.scalar_type() != type)) return {};
  return type;
}

}  // namespace

Activation activation_from(std::string_view name) {
  for (const auto& each : kNames) {
    if (each.name == name) return each.activation;
  }
  throw UsageError(
      text_of("activation: expected none, relu, gelu, gelu_tanh or silu, got '", name, "'"));
}

std::string name_of(Activation activation) {
  for (const auto& each : kNames) {
    if (each.activation == activation) return std::string(each.name);
  }
  throw UsageError(text_of("activation: ", static_cast<int>(activation), " is none"));
}

at::Tensor activate(const at::Tensor& input, Activation activation) {
  switch (activation) {
    case Activation::kNone:
      break;
    case Activation::kRelu:
      return at::relu(input);
    case Activation::kGelu:
      return at::gelu(input);
    case Activation::kGeluTanh:
      return at::gelu(input, "tanh");
    case Activation::kSilu:
      return at::silu(input);
  }
  return input;
}

at::Tensor torch_linear(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                        Activation activation) {
  check_shapes(input, weight, bias);
  return by_torch({input, weight, bias, activation}, "torch's operators were asked for");
}

at::Tensor linear(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                  Activation activation) {
  check_shapes(input, weight, bias);
  LinearProduct product{input, weight, bias, activation};
  if (linear_engine() != LinearEngine::kOwn) {
    return by_torch(product, "torch's is chosen for this CPU, or by HEED_LINEAR");
  }
  const auto type = own_type(input, weight, bias);
  if (!type) {
    return by_torch(product, "not dense tensors of one dtype, float32 or bfloat16, on the CPU");
  }
  product.type = *type;
  say_engine(product, nullptr);
  return own_linear(product);
}

}  // namespace heed
