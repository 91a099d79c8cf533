#include "heed/tasks/series/forecast_baselines.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

namespace heed::tasks {
namespace {

constexpr double kRidge = 1.0;
constexpr double kSmallestSquare = 1e-6;  // of series that never move
constexpr int64_t kDay = 86'400;

// (B, N, S) -> (B · S, N), less the last value of the past of each.
at::Tensor rows_of(const at::Tensor& x, const at::Tensor& past) {
  const at::Tensor last = past.narrow(1, past.size(1) - 1, 1);
  return (x - last).transpose(1, 2).flatten(0, 1);
}

// What least squares need of all windows whose future lies in rows [0, end).
struct LinearSums {
  at::Tensor squares;   // (L, L) float64
  at::Tensor products;  // (L, F) float64

  LinearSums(const StandardizedSeries& series, int64_t end, int64_t context_length,
             int64_t horizon) {
    const auto wide = at::TensorOptions().dtype(at::kDouble);
    squares = at::zeros({context_length, context_length}, wide);
    products = at::zeros({context_length, horizon}, wide);
    for_each_window(series, 0, end, context_length, horizon, {}, [&](const SeriesWindows& windows) {
      const at::Tensor x = rows_of(windows.past, windows.past);
      const at::Tensor y = rows_of(windows.future, windows.past);
      squares += x.t().matmul(x).to(at::kDouble);
      products += x.t().matmul(y).to(at::kDouble);
    });
  }

  at::Tensor map(double ridge) const {
    const at::Tensor whole = squares + at::eye(squares.size(0), squares.options()) * ridge;
    return at::cholesky_solve(products, at::linalg_cholesky(whole)).to(at::kFloat);
  }
};

}  // namespace

at::Tensor last_value(const at::Tensor& past, int64_t horizon) {
  return past.narrow(1, past.size(1) - 1, 1).expand({past.size(0), horizon, past.size(2)});
}

at::Tensor last_season(const at::Tensor& past, int64_t horizon, int64_t season) {
  const at::Tensor last = past.narrow(1, past.size(1) - season, season);
  return last.repeat({1, (horizon + season - 1) / season, 1}).narrow(1, 0, horizon);
}

LinearForecast::LinearForecast(const StandardizedSeries& series, int64_t end,
                               int64_t context_length, int64_t horizon) {
  map_ = LinearSums(series, end, context_length, horizon).map(kRidge);
}

LinearForecast LinearForecast::with_best_ridge(const StandardizedSeries& series, int64_t end,
                                               int64_t valid_end, int64_t context_length,
                                               int64_t horizon) {
  const LinearSums sums(series, end, context_length, horizon);
  // Of the mean square, so that neither the number of windows nor their scale decides; the largest
  // leaves the last value.
  const double unit = sums.squares.diagonal().mean().item<double>() + kSmallestSquare;
  std::vector<LinearForecast> tried;
  for (const double share : {1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 1e6}) {
    tried.push_back(LinearForecast(sums.map(share * unit)));
  }
  std::vector<double> errors(tried.size());
  for_each_window(series, end, valid_end, context_length, horizon, {},
                  [&](const SeriesWindows& windows) {
                    for (size_t i = 0; i < tried.size(); ++i) {
                      const at::Tensor error = tried[i].forward(windows.past) - windows.future;
                      errors[i] += error.square().sum().item<double>();
                    }
                  });
  return tried[static_cast<size_t>(std::ranges::min_element(errors) - errors.begin())];
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
