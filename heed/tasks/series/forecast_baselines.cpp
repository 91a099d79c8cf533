#include "heed/tasks/series/forecast_baselines.h"

#include <ATen/ATen.h>

#include <tuple>

namespace heed::tasks {
namespace {

constexpr double kRidge = 1.0;
constexpr int64_t kDay = 86'400;

// (B, N, S) -> (B · S, N), less the last value of the past of each.
at::Tensor rows_of(const at::Tensor& x, const at::Tensor& past) {
  const at::Tensor last = past.narrow(1, past.size(1) - 1, 1);
  return (x - last).transpose(1, 2).flatten(0, 1);
}

}  // namespace

at::Tensor last_value(const at::Tensor& past, int64_t horizon) {
  return past.narrow(1, past.size(1) - 1, 1).expand({past.size(0), horizon, past.size(2)});
}

at::Tensor last_season(const at::Tensor& past, int64_t horizon, int64_t season) {
  const at::Tensor last = past.narrow(1, past.size(1) - season, season);
  return last.repeat({1, (horizon + season - 1) / season, 1}).narrow(1, 0, horizon);
}

LinearForecast::LinearForecast(const StandardisedSeries& series, int64_t end,
                               int64_t context_length, int64_t horizon) {
  const auto wide = at::TensorOptions().dtype(at::kDouble);
  at::Tensor squares = at::eye(context_length, wide) * kRidge;
  at::Tensor products = at::zeros({context_length, horizon}, wide);
  for_each_window(series, 0, end, context_length, horizon, {}, [&](const SeriesWindows& windows) {
    const at::Tensor x = rows_of(windows.past, windows.past);
    const at::Tensor y = rows_of(windows.future, windows.past);
    squares += x.t().matmul(x).to(at::kDouble);
    products += x.t().matmul(y).to(at::kDouble);
  });
  const at::Tensor factor = at::linalg_cholesky(squares);
  map_ = at::cholesky_solve(products, factor).to(at::kFloat);
}

at::Tensor LinearForecast::forward(const at::Tensor& past) const {
  const at::Tensor y = rows_of(past, past).matmul(map_);  // (B · S, F)
  return y.reshape({past.size(0), past.size(2), -1}).transpose(1, 2) +
         past.narrow(1, past.size(1) - 1, 1);
}

int64_t usual_season(const data::SeriesData& data) {
  if (!data.time_format) return 1;
  const int64_t count = data.step.count;
  const bool months = data.step.months || data.time_format->in_months();
  if (months) return 12 % count == 0 ? 12 / count : 1;
  if (!data.time_format->in_seconds()) return 1;
  if (count == kDay) return 7;
  return count < kDay && kDay % count == 0 ? kDay / count : 1;
}

}  // namespace heed::tasks
