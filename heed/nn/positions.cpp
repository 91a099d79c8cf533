#include "heed/nn/positions.h"

#include <ATen/ATen.h>

#include <cmath>

#include "heed/base/error.h"

namespace heed::nn {

at::Tensor sinusoidal_positions(int64_t length, int64_t width) {
  // In double: float32 loses the phase of large positions.
  const auto doubles = at::TensorOptions(at::kDouble);
  const at::Tensor position = at::arange(length, doubles).unsqueeze(1);
  const at::Tensor column = at::arange(width, doubles);
  const at::Tensor pair = (column / 2).floor() * 2;
  const at::Tensor angle =
      position * (pair * (-std::log(10000.0) / static_cast<double>(width))).exp();
  const at::Tensor is_even = column.remainder(2) == 0;
  return at::where(is_even, angle.sin(), angle.cos()).to(at::kFloat);
}

SinusoidalPositions::SinusoidalPositions(const PositionsOptions& options)
    : table_(sinusoidal_positions(options.longest, options.width)) {}

at::Tensor SinusoidalPositions::forward(const at::Tensor& input) const {
  const int64_t length = input.size(-2);
  check_usage(length <= table_.size(0), "positions: expected at most ", table_.size(0),
              " tokens, got ", length, "; shorten the input or build the model for longer ones");
  return input + table_.slice(0, 0, length).to(input.options());
}

}  // namespace heed::nn
