#include "heed/nn/attention/token_positions.h"

#include <ATen/ATen.h>

namespace heed::nn {

int64_t end_of(const TokenPositions& positions, int64_t length) {
  const bool differ = positions.starts.defined() && positions.starts.numel() > 0;
  return (differ ? positions.starts.max().item<int64_t>() : positions.start) + length;
}

at::Tensor positions_of(const TokenPositions& positions, int64_t length, at::Device device) {
  const auto options = at::TensorOptions(at::kLong).device(device);
  if (!positions.starts.defined())
    return at::arange(positions.start, positions.start + length, options);
  return positions.starts.to(device).unsqueeze(1) + at::arange(length, options);
}

}  // namespace heed::nn
