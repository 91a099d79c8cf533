// The schemas of the operators, and what is done for each dispatch key.
#include <torch/library.h>

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

#include <algorithm>

#include "heed/base/error.h"
#include "heed/ops/attention/argument_checks.h"
#include "heed/ops/attention/meta.h"
#include "heed/ops/attention/operators.h"
#include "heed/ops/operators/boxed.h"

namespace heed {
namespace {

using torch::jit::Stack;

// Copies where torch made other strides than promised.
at::Tensor by_rows(const at::Tensor& tensor) {
  if (!tensor.defined()) return tensor;
  auto result = empty_by_rows(tensor.sizes(), tensor.options());
  return result.strides() == tensor.strides() ? tensor : result.copy_(tensor);
}

// --- CPU and other devices ----------------------------------------------------------------------

AttentionResult attend(const AttentionCall& call) {
  const char* const not_fused = fused_refuses(call);
  if (not_fused == nullptr) return fused_forward(call);
  const char* const not_torch = torch_fused_refuses(call);
  const bool by_torch = not_torch == nullptr;
  say_engine("forward", by_torch ? "torch_fused" : "attention_math", call, {not_fused, not_torch});
  return by_torch ? torch_fused_forward(call) : math_forward(call);
}

Gradients gradients_of(const AttentionBackwardCall& call) {
  const char* const not_fused = fused_refuses(call.forward);
  if (not_fused == nullptr) return fused_backward(call);
  const char* const not_torch = torch_fused_refuses(call);
  const bool by_torch = not_torch == nullptr;
  say_engine("backward", by_torch ? "torch_fused" : "attention_math", call.forward,
             {not_fused, not_torch});
  return by_torch ? torch_fused_backward(call) : math_backward(call);
}

void forward(const c10::OperatorHandle&, Stack* stack) {
  const auto result = attend(call_of(top(*stack, kForwardArguments)));
  const auto rest = result.log_sum_exp_rest.defined() ? result.log_sum_exp_rest
                                                      : at::zeros_like(result.log_sum_exp);
  replace_top(*stack, kForwardArguments, {by_rows(result.output), result.log_sum_exp, rest});
}

void backward(const c10::OperatorHandle&, Stack* stack) {
  Gradients gradients = gradients_of(backward_call_of(top(*stack, kBackwardArguments)));
  for (const Argument input : kDifferentiable) {
    at::Tensor& gradient = gradients[input];
    if (gradient.defined()) gradient = has_rows(input) ? by_rows(gradient) : gradient.contiguous();
  }
  replace_top(*stack, kBackwardArguments, gradients.values());
}

// --- Meta: shapes alone, which may be symbols ---------------------------------------------------

at::Tensor meta_by_rows(const at::Tensor& rows, const c10::SymInt& size) {
  return at::empty_symint({rows.sym_size(0), rows.sym_size(2), rows.sym_size(1), size},
                          rows.options())
      .transpose(1, 2);
}

void meta_forward(const c10::OperatorHandle&, Stack* stack) {
  const auto arguments = top(*stack, kForwardArguments);
  const auto& query = arguments[kQuery].toTensor();
  const auto& value = arguments[kValue].toTensor();
  check_meta(arguments);
  const auto precise = query.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  const auto output = meta_by_rows(query, value.sym_size(3));
  const auto log_sum_exp = at::empty_symint(
      {query.sym_size(0), query.sym_size(1), query.sym_size(2)}, query.options().dtype(precise));
  replace_top(*stack, kForwardArguments, {output, log_sum_exp, at::empty_like(log_sum_exp)});
}

void meta_backward(const c10::OperatorHandle&, Stack* stack) {
  const auto arguments = top(*stack, kBackwardArguments);
  check_meta(arguments);
  const PerInput<bool> wanted = wanted_of(arguments);
  Gradients gradients;
  for (const Argument input : kDifferentiable) {
    if (!wanted[input]) continue;
    const auto& tensor = arguments[input].toTensor();
    gradients[input] = has_rows(input) ? meta_by_rows(tensor, tensor.sym_size(3))
                                       : at::empty_symint(tensor.sym_sizes(), tensor.options());
  }
  replace_top(*stack, kBackwardArguments, gradients.values());
}

// --- Autocast -----------------------------------------------------------------------------------

// query, key and value in the lower precision; what is learned beside them stays as it is.
void autocast_forward(const c10::OperatorHandle& handle, Stack* stack) {
  const size_t first = stack->size() - kForwardArguments;
  const auto device = (*stack)[first + kQuery].toTensor().device().type();
  const auto type = at::autocast::get_autocast_dtype(device);
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  for (const Argument argument : {kQuery, kKey, kValue}) {
    auto& value = (*stack)[first + argument];
    value = at::autocast::cached_cast(type, value.toTensor(), device);
  }
  handle.callBoxed(stack);
}

template <void (*kernel)(const c10::OperatorHandle&, Stack*)>
torch::CppFunction boxed() {
  return torch::CppFunction::makeFromBoxedFunction<kernel>();
}

}  // namespace

// These two stand here so that whoever links the library as an archive gets the registrations.
const c10::OperatorHandle& attention_operator() {
  static const auto handle = operator_named("heed::attention");
  return handle;
}

const c10::OperatorHandle& attention_backward_operator() {
  static const auto handle = operator_named("heed::attention_backward");
  return handle;
}

void link_registration() {}

// As on other devices, where the sizes are numbers; what stands in the tensors of a pattern and of
// the seed is not there.
void check_meta(at::ArrayRef<c10::IValue> arguments) {
  for (const Argument argument : {kQuery, kKey, kValue}) {
    const auto& tensor = arguments[argument].toTensor();
    check_usage(tensor.dim() == 4,
                "attention: query, key and value must have four dimensions, got ", tensor.dim());
    check_usage(tensor.is_meta(), "attention: expected all tensors on one device, got ",
                tensor.device(), " and meta");
  }
  const auto symbolic = [](const c10::IValue& value) {
    return has_symbols(tensor_or_undefined(value));
  };
  if (std::any_of(arguments.begin(), arguments.end(), symbolic)) return;
  Stack without_contents(arguments.begin(), arguments.end());
  without_contents[kPattern] = "full";
  without_contents[kPatternTensors] = c10::IValue();
  without_contents[kPatternNumbers] = c10::IValue();
  without_contents[kDropoutSeedTensor] = c10::IValue();
  const bool backwards = arguments.size() > kForwardArguments;
  const auto& [query, key, value, options] = call_of(without_contents);
  const auto sizes = check_attention(query, key, value, options);
  if (backwards) check_attention_backward(sizes, backward_call_of(without_contents));
}

TORCH_LIBRARY(heed, library) {
  library.def(text_of("attention(Tensor query, Tensor key, Tensor value, *, ", kOptionsSchema,
                      ") -> (Tensor output, Tensor log_sum_exp, Tensor log_sum_exp_rest)")
                  .c_str(),
              {at::Tag::pt2_compliant_tag});
  library.def(
      text_of("attention_backward(Tensor query, Tensor key, Tensor value, *, ", kOptionsSchema,
              ", Tensor? grad_output, Tensor? grad_log_sum_exp, Tensor output, "
              "Tensor log_sum_exp, Tensor log_sum_exp_rest, bool[] wanted) -> (Tensor, "
              "Tensor, Tensor, Tensor, "
              "Tensor, Tensor, Tensor)")
          .c_str(),
      {at::Tag::pt2_compliant_tag});
}

TORCH_LIBRARY_IMPL(heed, CompositeExplicitAutograd, library) {
  library.impl("attention", boxed<&forward>());
  library.impl("attention_backward", boxed<&backward>());
}

TORCH_LIBRARY_IMPL(heed, CPU, library) {
  library.impl("attention", boxed<&forward>());
  library.impl("attention_backward", boxed<&backward>());
}

TORCH_LIBRARY_IMPL(heed, Meta, library) {
  library.impl("attention", boxed<&meta_forward>());
  library.impl("attention_backward", boxed<&meta_backward>());
}

TORCH_LIBRARY_IMPL(heed, Autograd, library) {
  library.impl("attention", boxed<&autograd_forward>());
  library.impl("attention_backward", boxed<&autograd_backward>());
}

TORCH_LIBRARY_IMPL(heed, AutocastCPU, library) {
  library.impl("attention", boxed<&autocast_forward>());
}

TORCH_LIBRARY_IMPL(heed, AutocastCUDA, library) {
  library.impl("attention", boxed<&autocast_forward>());
}

}  // namespace heed
