// heed::linear as a torch operator, for Python:
//
//   heed::linear(input, weight, bias=None, activation='none') -> output
//   heed::linear_backward(grad, input, weight, bias, activation, wanted) -> (3 gradients; undefined
//                         where not wanted)
//
// Eagerly the call goes straight to heed::linear, which has its own autograd. Where torch traces
// (torch.compile), the two operators are what stands in the graph; linear_backward then makes the
// product before the activation again instead of keeping it.
//
//   heed::keep_packed_weights(keeps)        packed_weights.h
#include <torch/library.h>

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <optional>
#include <string>
#include <tuple>

#include "heed/base/error.h"
#include "heed/ops/attention/transforms.h"
#include "heed/ops/dense/packed_weights.h"
#include "heed/ops/linear.h"
#include "heed/ops/operators/boxed.h"
#include "heed/ops/operators/traced.h"
#include "heed/ops/tensor_text.h"

namespace heed {
namespace {

using at::Tensor;
using OptionalTensor = std::optional<Tensor>;
using ThreeTensors = std::tuple<Tensor, Tensor, Tensor>;

void check_same_device(const std::vector<Tensor>& tensors) {
  for (const Tensor& t : tensors) {
    if (!t.defined()) continue;
    check_usage(t.device() == tensors.front().device(),
                "linear: expected all tensors on one device, got ", tensors.front().device(),
                " and ", t.device());
  }
}

Tensor call_linear(const Tensor& input, const Tensor& weight, const OptionalTensor& bias,
                   c10::string_view activation) {
  return linear(input, weight, bias.value_or(Tensor()), activation_from(activation));
}

// --- CPU and other devices ----------------------------------------------------------------------

Tensor forward(const Tensor& input, const Tensor& weight, const OptionalTensor& bias,
               c10::string_view activation) {
  const at::NoGradGuard no_grad;
  return call_linear(input, weight, bias, activation);
}

ThreeTensors backward(const Tensor& grad, const Tensor& input, const Tensor& weight,
                      const OptionalTensor& bias, c10::string_view activation,
                      std::array<bool, 3> wanted) {
  auto expected = input.sizes().vec();
  if (!expected.empty() && weight.dim() == 2) expected.back() = weight.size(0);
  check_usage(grad.sizes() == at::IntArrayRef(expected) && grad.is_floating_point(),
              "linear_backward: expected a floating-point gradient of ", at::IntArrayRef(expected),
              ", got ", TensorText{grad, /*with_device=*/true});
  check_same_device({grad, input, weight, bias.value_or(Tensor())});
  const WithAutograd with_autograd;
  std::array<Tensor, 3> leaves{input.detach(), weight.detach(), bias ? bias->detach() : Tensor()};
  std::vector<Tensor> asked;
  for (size_t i = 0; i < leaves.size(); ++i) {
    wanted[i] = wanted[i] && leaves[i].defined();
    if (wanted[i]) asked.push_back(leaves[i].requires_grad_());
  }
  std::array<Tensor, 3> gradients;
  if (asked.empty()) return {};
  const OptionalTensor leaf_bias = bias ? OptionalTensor(leaves[2]) : std::nullopt;
  const Tensor output = call_linear(leaves[0], leaves[1], leaf_bias, activation);
  const auto found = torch::autograd::grad({output}, asked, {grad.detach()});
  for (size_t i = 0, next = 0; i < gradients.size(); ++i) {
    if (wanted[i]) gradients[i] = found[next++].contiguous();
  }
  return {gradients[0], gradients[1], gradients[2]};
}

// --- Meta: shapes alone, which may be symbols ---------------------------------------------------

Tensor meta_forward(const Tensor& input, const Tensor& weight, const OptionalTensor& bias,
                    c10::string_view activation) {
  activation_from(activation);
  check_same_device({input, weight, bias.value_or(Tensor())});
  check_usage(weight.dim() == 2 && input.dim() >= 1,
              "linear: expected an input of (..., in) and a weight of (out, in), got ", input.dim(),
              " and ", weight.dim(), " dimensions");
  auto sizes = input.sym_sizes().vec();
  sizes.back() = weight.sym_size(0);
  return at::empty_symint(sizes, input.options());
}

ThreeTensors meta_backward(const Tensor& grad, const Tensor& input, const Tensor& weight,
                           const OptionalTensor& bias, c10::string_view,
                           std::array<bool, 3> wanted) {
  check_same_device({grad, input, weight, bias.value_or(Tensor())});
  const auto like = [](bool is_wanted, const Tensor& t) {
    return is_wanted && t.defined() ? at::empty_symint(t.sym_sizes(), t.options()) : Tensor();
  };
  return {like(wanted[0], input), like(wanted[1], weight),
          like(wanted[2], bias.value_or(Tensor()))};
}

// --- Under the transforms of torch.func: torch's operators --------------------------------------

Tensor transformed_forward(const Tensor& input, const Tensor& weight, const OptionalTensor& bias,
                           c10::string_view activation) {
  return torch_linear(input, weight, bias.value_or(Tensor()), activation_from(activation));
}

// --- Autograd -----------------------------------------------------------------------------------

const auto& linear_operator() {
  static const auto handle = operator_named("heed::linear").typed<decltype(forward)>();
  return handle;
}

const auto& linear_backward_operator() {
  static const auto handle = operator_named("heed::linear_backward").typed<decltype(backward)>();
  return handle;
}

class LinearOperator : public torch::autograd::Function<LinearOperator> {
 public:
  using Context = torch::autograd::AutogradContext;
  using Tensors = torch::autograd::variable_list;

  static Tensor forward(Context* context, const Tensor& input, const Tensor& weight,
                        const OptionalTensor& bias, const std::string& activation) {
    const at::AutoDispatchBelowADInplaceOrView below;
    context->save_for_backward({input, weight, bias.value_or(Tensor())});
    context->saved_data["activation"] = activation;
    return linear_operator().call(input, weight, bias, activation);
  }

  static Tensors backward(Context* context, const Tensors& grads) {
    const auto saved = context->get_saved_variables();
    const auto bias = saved[2].defined() ? OptionalTensor(saved[2]) : std::nullopt;
    const auto [input, weight, of_bias] = linear_backward_operator().call(
        grads[0], saved[0], saved[1], bias, context->saved_data["activation"].toStringRef(),
        {context->needs_input_grad(0), context->needs_input_grad(1),
         bias && context->needs_input_grad(2)});
    return {input, weight, of_bias, {}};
  }
};

Tensor linear_with_autograd(const Tensor& input, const Tensor& weight, const OptionalTensor& bias,
                            c10::string_view activation) {
  if (in_functorch()) return transformed_forward(input, weight, bias, activation);
  const bool traced = is_traced({input, weight, bias.value_or(Tensor())});
  if (!traced) return call_linear(input, weight, bias, activation);
  return LinearOperator::apply(input, weight, bias, std::string(activation));
}

// --- Autocast -----------------------------------------------------------------------------------

Tensor autocast_forward(const Tensor& input, const Tensor& weight, const OptionalTensor& bias,
                        c10::string_view activation) {
  const auto device = input.device().type();
  const auto type = at::autocast::get_autocast_dtype(device);
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const auto lower = [&](const Tensor& t) { return at::autocast::cached_cast(type, t, device); };
  return linear_operator().call(lower(input), lower(weight),
                                bias ? OptionalTensor(lower(*bias)) : std::nullopt, activation);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(heed, library) {
  library.def(
      "linear(Tensor input, Tensor weight, Tensor? bias=None, str activation='none') -> Tensor",
      {at::Tag::pt2_compliant_tag});
  library.def(
      "linear_backward(Tensor grad, Tensor input, Tensor weight, Tensor? bias, str activation, "
      "bool[3] wanted) -> (Tensor, Tensor, Tensor)",
      {at::Tag::pt2_compliant_tag});
  library.def("keep_packed_weights(bool keeps) -> ()", keep_packed_weights);
}

TORCH_LIBRARY_IMPL(heed, CompositeExplicitAutograd, library) {
  library.impl("linear", forward);
  library.impl("linear_backward", backward);
}

TORCH_LIBRARY_IMPL(heed, CPU, library) {
  library.impl("linear", forward);
  library.impl("linear_backward", backward);
}

TORCH_LIBRARY_IMPL(heed, Meta, library) {
  library.impl("linear", meta_forward);
  library.impl("linear_backward", meta_backward);
}

TORCH_LIBRARY_IMPL(heed, Autograd, library) {
  library.impl("linear", linear_with_autograd);
  library.impl("linear_backward", torch::autograd::autogradNotImplementedFallback());
}

TORCH_LIBRARY_IMPL(heed, FuncTorchBatched, library) { library.impl("linear", transformed_forward); }

TORCH_LIBRARY_IMPL(heed, AutocastCPU, library) { library.impl("linear", autocast_forward); }

TORCH_LIBRARY_IMPL(heed, AutocastCUDA, library) { library.impl("linear", autocast_forward); }

}  // namespace heed
