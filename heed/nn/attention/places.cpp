#include "heed/nn/attention/places.h"

#include <ATen/ATen.h>

namespace heed::nn {

int64_t end_of(const Places& places, int64_t length) {
  const bool differ = places.starts.defined() && places.starts.numel() > 0;
  return (differ ? places.starts.max().item<int64_t>() : places.start) + length;
}

at::Tensor positions_of(const Places& places, int64_t length, at::Device device) {
  const auto options = at::TensorOptions(at::kLong).device(device);
  if (!places.starts.defined()) return at::arange(places.start, places.start + length, options);
  return places.starts.to(device).unsqueeze(1) + at::arange(length, options);
}

}  // namespace heed::nn
