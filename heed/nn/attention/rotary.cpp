#include "heed/nn/attention/rotary.h"

#include <ATen/ATen.h>

#include <cmath>

#include "heed/base/error.h"

namespace heed::nn {
namespace {

// n · base^(−2i / D) for the first positions n, (positions, D/2). In double: float32 loses the
// phase of large positions.
at::Tensor angles_of(const RotaryOptions& options, int64_t positions) {
  const auto doubles = at::TensorOptions(at::kDouble);
  const auto size = static_cast<double>(options.size);
  const at::Tensor pair = at::arange(options.size / 2, doubles);
  return at::arange(positions, doubles).unsqueeze(1) *
         (pair * (-2 / size * std::log(options.base))).exp();
}

}  // namespace

Rotary::Rotary(const RotaryOptions& options)
    : cosine_([options](int64_t rows) { return angles_of(options, rows).cos().to(at::kFloat); }),
      sine_([options](int64_t rows) { return angles_of(options, rows).sin().to(at::kFloat); }) {
  check_usage(options.size > 0 && options.size % 2 == 0,
              "rotary positions: expected an even size of the heads, got ", options.size);
}

Rotary::Angles Rotary::angles(const TokenPositions& positions, int64_t length,
                              at::Device device) const {
  const int64_t end = end_of(positions, length);
  const at::Tensor cosine = cosine_.first(end, device);
  const at::Tensor sine = sine_.first(end, device);
  if (!positions.starts.defined()) {
    return {.cosine = cosine.slice(0, positions.start, end),
            .sine = sine.slice(0, positions.start, end)};
  }
  const at::Tensor rows = positions_of(positions, length, device);
  return {.cosine = cosine.index({rows}), .sine = sine.index({rows})};
}

}  // namespace heed::nn
