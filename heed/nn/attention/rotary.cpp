#include "heed/nn/attention/rotary.h"

#include <ATen/ATen.h>

#include <cmath>

#include "heed/base/error.h"

namespace heed::nn {
namespace {

// n · base^(−2i / D) for the first positions n, (positions, D/2). In double: float32 loses the
// phase of large positions.
at::Tensor turns(const RotaryOptions& options, int64_t positions) {
  const auto doubles = at::TensorOptions(at::kDouble);
  const auto size = static_cast<double>(options.size);
  const at::Tensor pair = at::arange(options.size / 2, doubles);
  return at::arange(positions, doubles).unsqueeze(1) *
         (pair * (-2 / size * std::log(options.base))).exp();
}

}  // namespace

Rotary::Rotary(const RotaryOptions& options)
    : cosine_([options](int64_t rows) { return turns(options, rows).cos().to(at::kFloat); }),
      sine_([options](int64_t rows) { return turns(options, rows).sin().to(at::kFloat); }) {
  check_usage(options.size > 0 && options.size % 2 == 0,
              "rotary positions: expected an even size of the heads, got ", options.size);
}

Rotary::Angles Rotary::angles(const Places& places, int64_t length, at::Device device) const {
  const int64_t end = end_of(places, length);
  const at::Tensor cosine = cosine_.first(end, device);
  const at::Tensor sine = sine_.first(end, device);
  if (!places.starts.defined()) {
    return {.cosine = cosine.slice(0, places.start, end), .sine = sine.slice(0, places.start, end)};
  }
  const at::Tensor rows = positions_of(places, length, device);
  return {.cosine = cosine.index({rows}), .sine = sine.index({rows})};
}

}  // namespace heed::nn
