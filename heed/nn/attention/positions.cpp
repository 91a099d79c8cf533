#include "heed/nn/attention/positions.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/nn/attention/growing_table.h"
#include "heed/nn/parameters/init.h"

namespace heed::nn {

at::Tensor sinusoidal_positions(int64_t length, int64_t d_model, bool halves) {
  // In double: float32 loses the phase of large positions.
  const auto doubles = at::TensorOptions(at::kDouble);
  const at::Tensor position = at::arange(length, doubles).unsqueeze(1);
  const at::Tensor column = at::arange(d_model, doubles);
  const at::Tensor pair = (column / 2).floor() * 2;
  const at::Tensor angle =
      position * (pair * (-std::log(10000.0) / static_cast<double>(d_model))).exp();
  const at::Tensor is_even = column.remainder(2) == 0;
  if (halves) {
    const at::Tensor half = angle.slice(1, 0, d_model, 2);
    return at::cat({half.sin(), half.slice(1, 0, d_model / 2).cos()}, 1).to(at::kFloat);
  }
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
      table_(std::make_shared<const GrowingTable>(
          [options](int64_t rows) {
            return sinusoidal_positions(rows, options.d_model, options.halves);
          },
          options.max_length)) {}

at::Tensor SinusoidalPositions::first(int64_t rows, at::Device device) const {
  return table_->first(rows, device);
}

LearnedPositions::LearnedPositions(const PositionsOptions& options)
    : PositionTable(options), offset_(options.offset) {
  table = register_parameter("table", at::empty({options.max_length, options.d_model}));
  const c10::AutoGradMode no_gradients(false);
  if (init_is_on()) table.normal_(0, 0.02);
}

at::Tensor LearnedPositions::first(int64_t /*rows*/, at::Device /*device*/) const {
  return offset_ > 0 ? table.slice(0, offset_) : table;
}

}  // namespace heed::nn
