#include "heed/nn/attention/positions.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "heed/base/error.h"

namespace heed::nn {

at::Tensor sinusoidal_positions(int64_t length, int64_t d_model) {
  // In double: float32 loses the phase of large positions.
  const auto doubles = at::TensorOptions(at::kDouble);
  const at::Tensor position = at::arange(length, doubles).unsqueeze(1);
  const at::Tensor column = at::arange(d_model, doubles);
  const at::Tensor pair = (column / 2).floor() * 2;
  const at::Tensor angle =
      position * (pair * (-std::log(10000.0) / static_cast<double>(d_model))).exp();
  const at::Tensor is_even = column.remainder(2) == 0;
  return at::where(is_even, angle.sin(), angle.cos()).to(at::kFloat);
}

at::Tensor PositionTable::forward(const at::Tensor& input, const TokenPositions& positions) const {
  const int64_t length = input.size(-2);
  const int64_t end = end_of(positions, length);
  check_usage(end <= longest_, "positions: expected at most ", longest_, " tokens, got ", end,
              "; shorten the input or build the model for longer ones");
  const at::Tensor table = first(end, input.device());
  const at::Tensor rows = positions.starts.defined()
                              ? table.index({positions_of(positions, length, table.device())})
                              : table.slice(0, positions.start, end);
  return input + rows.to(input.options());
}

SinusoidalPositions::SinusoidalPositions(const PositionsOptions& options)
    : PositionTable(options),
      table_(
          [d_model = options.d_model](int64_t rows) { return sinusoidal_positions(rows, d_model); },
          options.max_length) {}

at::Tensor SinusoidalPositions::first(int64_t rows, at::Device device) const {
  return table_.first(rows, device);
}

LearnedPositions::LearnedPositions(const PositionsOptions& options) : PositionTable(options) {
  table = register_parameter("table", at::empty({options.max_length, options.d_model}));
  const c10::AutoGradMode no_gradients(false);
  table.normal_(0, 0.02);
}

}  // namespace heed::nn
