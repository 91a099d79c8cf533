#include "heed/nn/attention/rotary.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "heed/base/error.h"

namespace heed::nn {

Rotary::Rotary(const RotaryOptions& options) : options_(options) {
  check_usage(options.size > 0 && options.size % 2 == 0,
              "rotary positions: expected an even size of the heads, got ", options.size);
}

Rotary::Angles Rotary::angles(const Places& places, int64_t length, at::Device device) const {
  const int64_t end = end_of(places, length);
  Angles table;
  {
    const std::lock_guard lock(mutex_);
    if (!table_.cosine.defined() || table_.cosine.size(0) < end) {
      const int64_t old = table_.cosine.defined() ? table_.cosine.size(0) : 0;
      const int64_t count = std::max<int64_t>({end, 2 * old, 64});
      // In double: float32 loses the phase of large positions.
      const auto doubles = at::TensorOptions(at::kDouble);
      const auto size = static_cast<double>(options_.size);
      const at::Tensor pair = at::arange(options_.size / 2, doubles);
      const at::Tensor angle = at::arange(count, doubles).unsqueeze(1) *
                               (pair * (-2 / size * std::log(options_.base))).exp();
      table_ = {.cosine = angle.cos().to(at::kFloat), .sine = angle.sin().to(at::kFloat)};
    }
    if (table_.cosine.device() != device) {
      table_ = {.cosine = table_.cosine.to(device), .sine = table_.sine.to(device)};
    }
    table = table_;
  }
  if (!places.starts.defined()) {
    return {.cosine = table.cosine.slice(0, places.start, end),
            .sine = table.sine.slice(0, places.start, end)};
  }
  const at::Tensor rows = positions_of(places, length, device);
  return {.cosine = table.cosine.index({rows}), .sine = table.sine.index({rows})};
}

}  // namespace heed::nn
