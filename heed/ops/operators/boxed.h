// What the kernels of torch's operators share: values on a stack, and autograd below the
// dispatcher.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <string>

namespace heed {

// A look-up by name, for once and not for each call.
inline c10::OperatorHandle operator_named(const std::string& name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), "");
}

inline at::Tensor tensor_or_undefined(const c10::IValue& value) {
  return value.isTensor() ? value.toTensor() : at::Tensor();
}

inline c10::IValue value_or_none(const at::Tensor& tensor) {
  return tensor.defined() ? c10::IValue(tensor) : c10::IValue();
}

// The arguments of a call that are not saved as tensors, kept for its backward pass.
struct OtherArguments : torch::CustomClassHolder {
  torch::jit::Stack values;
};

// Inside the kernel of an operator autograd is switched off, in its mode and in the dispatcher;
// this switches both on again.
class WithAutograd {
 public:
  WithAutograd()
      : keys_(c10::impl::tls_local_dispatch_key_set().included_,
              c10::impl::tls_local_dispatch_key_set().excluded_ -
                  c10::autograd_dispatch_keyset_with_ADInplaceOrView),
        mode_(true) {}

 private:
  c10::impl::ForceDispatchKeyGuard keys_;
  at::AutoGradMode mode_;
};

}  // namespace heed
