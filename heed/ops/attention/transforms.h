// What torch does to a call besides computing it: its function transforms (torch.func) and
// derivatives of forward mode.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

namespace heed {

// Whether a transform of torch.func is at work: tensors may then stand for others, have no memory
// and no single number that could be looked at.
inline bool in_functorch() {
  constexpr c10::DispatchKeySet kLayers({c10::DispatchKey::FuncTorchDynamicLayerFrontMode,
                                         c10::DispatchKey::FuncTorchDynamicLayerBackMode});
  return c10::impl::tls_local_dispatch_key_set().included_.has_any(kLayers);
}

// Whether a derivative of forward mode comes with the tensor.
inline bool has_tangent(const at::Tensor& tensor) {
  return tensor.defined() && tensor._fw_grad(0).defined();
}

}  // namespace heed
