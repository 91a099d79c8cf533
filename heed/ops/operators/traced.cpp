#include "heed/ops/operators/traced.h"

#include <c10/core/impl/TorchDispatchModeTLS.h>

#include <algorithm>

namespace heed {

bool is_traced(at::TensorList tensors) {
  constexpr c10::DispatchKeySet kStandIns(
      {c10::DispatchKey::Python, c10::DispatchKey::Functionalize,
       c10::DispatchKey::FuncTorchBatched, c10::DispatchKey::FuncTorchGradWrapper});
  if (c10::impl::TorchDispatchModeTLS::any_modes_set()) return true;
  return std::any_of(tensors.begin(), tensors.end(), [&](const at::Tensor& tensor) {
    return tensor.defined() && tensor.key_set().has_any(kStandIns);
  });
}

}  // namespace heed
