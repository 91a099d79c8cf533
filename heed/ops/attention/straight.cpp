#include <ATen/ATen.h>
#include <ATen/record_function.h>
#include <c10/core/impl/TorchDispatchModeTLS.h>

#include <algorithm>

#include "heed/ops/attention/operators.h"
#include "heed/ops/attention/transforms.h"

namespace heed {
namespace {

// A tensor with memory on the CPU that stands for nothing else.
bool is_bare(const at::Tensor& tensor) {
  constexpr c10::DispatchKeySet kBare({c10::DispatchKey::CPU, c10::DispatchKey::ADInplaceOrView,
                                       c10::DispatchKey::AutogradCPU,
                                       c10::DispatchKey::AutocastCPU});
  return !tensor.defined() || (kBare.isSupersetOf(tensor.key_set()) && !has_tangent(tensor));
}

bool is_bare(const c10::IValue& value) {
  if (value.isTensor()) return is_bare(value.toTensor());
  if (!value.isTensorList()) return true;
  const auto tensors = value.toTensorVector();
  return std::all_of(tensors.begin(), tensors.end(),
                     [](const at::Tensor& tensor) { return is_bare(tensor); });
}

// Whether something looks at the operators that are called.
bool is_watched() {
  return at::hasCallbacks() || in_functorch() || c10::impl::TorchDispatchModeTLS::any_modes_set();
}

}  // namespace

bool goes_straight(const AttentionCall& call) {
  const auto bare = [&](Argument input) {
    const at::Tensor* const tensor = input_of(call, input);
    return tensor == nullptr || is_bare(*tensor);
  };
  return std::all_of(kDifferentiable.begin(), kDifferentiable.end(), bare) &&
         fused_refuses(call) == nullptr && !is_watched();
}

bool goes_straight(const AttentionBackwardCall& call) {
  return is_bare(call.grad_output) && is_bare(call.grad_log_sum_exp) && goes_straight(call.forward);
}

bool goes_straight(at::ArrayRef<c10::IValue> arguments) {
  return std::all_of(arguments.begin(), arguments.end(),
                     [](const c10::IValue& value) { return is_bare(value); }) &&
         !is_watched();
}

}  // namespace heed
