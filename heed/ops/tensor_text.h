// A tensor in the text of an error. Written only where the error is thrown: making the text costs
// more than all other checks of a call together.
#pragma once

#include <ATen/core/Tensor.h>

#include <ostream>

namespace heed {

struct TensorText {
  const at::Tensor& tensor;
  bool with_device = false;
};

// "Float of shape [2, 3]", or with the device "Float [2, 3] on cpu".
inline std::ostream& operator<<(std::ostream& out, const TensorText& text) {
  if (!text.tensor.defined()) return out << "an undefined tensor";
  out << text.tensor.scalar_type();
  if (!text.with_device) return out << " of shape " << text.tensor.sizes();
  return out << ' ' << text.tensor.sizes() << " on " << text.tensor.device();
}

}  // namespace heed
