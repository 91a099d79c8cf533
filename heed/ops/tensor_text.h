// What came, in the text of an error. Written only where the error is thrown: making the text costs
// more than all other checks of a call together.
#pragma once

#include <ATen/core/Tensor.h>

#include <ostream>
#include <string>
#include <string_view>

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

// The beginning of a text that others wrote.
inline std::string excerpt_of(std::string_view text) {
  constexpr size_t kMost = 100;
  if (text.size() <= kMost) return std::string(text);
  size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // whole letters
  return std::string(text.substr(0, end)) + "…";
}

}  // namespace heed
