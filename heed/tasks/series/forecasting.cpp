#include "heed/tasks/series/forecasting.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "heed/base/error.h"
#include "heed/io/printable.h"
#include "heed/tasks/common/sources.h"
#include "heed/tasks/series/forecast_baselines.h"

namespace heed::tasks {
namespace {

constexpr double kSmallestDeviation = 1e-6;

int64_t column_of(const data::SeriesData& data, const std::string& name) {
  const auto found = std::find(data.names.begin(), data.names.end(), name);
  check_usage(found != data.names.end(), data.file, ": expected a column ", printable(name),
              ", found none of that name");
  return found - data.names.begin();
}

// (T, columns), standardised with the means and deviations of trained from `offset` on.
at::Tensor columns(const data::SeriesData& data, const std::vector<std::string>& names,
                   const models::TrainedForecaster& trained, size_t offset) {
  const at::Tensor all = at::tensor(data.values).reshape({data.length(), -1});
  std::vector<at::Tensor> taken;
  for (size_t i = 0; i < names.size(); ++i) {
    const at::Tensor column = all.select(1, column_of(data, names[i])).to(at::kDouble);
    taken.push_back((column - trained.means[offset + i]) / trained.deviations[offset + i]);
  }
  return at::stack(taken, 1).to(at::kFloat);
}

void measure(models::TrainedForecaster& trained, const data::SeriesData& data, int64_t rows) {
  const at::Tensor all = at::tensor(data.values).reshape({data.length(), -1});
  for (const auto* names : {&trained.series, &trained.covariates}) {
    for (const std::string& name : *names) {
      const at::Tensor column =
          all.select(1, column_of(data, name)).narrow(0, 0, rows).to(at::kDouble);
      trained.means.push_back(column.mean().item<double>());
      trained.deviations.push_back(
          std::max(column.std(/*unbiased=*/false).item<double>(), kSmallestDeviation));
    }
  }
}

// The sums of all forecasts of a batch, for each series.
void add_errors(std::vector<metrics::ForecastErrors>& by_series, const at::Tensor& forecasts,
                const at::Tensor& actual) {
  const at::Tensor error = (forecasts - actual).to(at::kDouble);
  const at::Tensor squared = error.square().sum(at::IntArrayRef{0, 1});
  const at::Tensor absolute = error.abs().sum(at::IntArrayRef{0, 1});
  const int64_t count = error.size(0) * error.size(1);
  for (size_t s = 0; s < by_series.size(); ++s) {
    const auto at = static_cast<int64_t>(s);
    by_series[s].add({.squared = squared[at].item<double>(),
                      .absolute = absolute[at].item<double>(),
                      .count = count});
  }
}

metrics::ForecastErrors sum_of(const std::vector<metrics::ForecastErrors>& by_series) {
  metrics::ForecastErrors sum;
  for (const auto& errors : by_series) sum.add(errors);
  return sum;
}

// (coverages, F, S), or undefined where the model has none.
at::Tensor half_widths(const models::TrainedForecaster& trained) {
  if (trained.coverages.empty() || trained.half_widths.empty()) return {};
  const auto& o = trained.model->options();
  return at::tensor(trained.half_widths, at::kFloat)
      .reshape({std::ssize(trained.coverages), o.horizon, o.num_series});
}

}  // namespace

SeriesSplit split_by_shares(int64_t rows, double valid_share, double test_share) {
  check_usage(valid_share >= 0 && test_share >= 0 && valid_share + test_share < 1,
              "valid_share: expected a share that is below 1 together with that of the test (",
              test_share, "), got ", valid_share);
  SeriesSplit split;
  split.valid = static_cast<int64_t>(static_cast<double>(rows) * valid_share);
  split.test = static_cast<int64_t>(static_cast<double>(rows) * test_share);
  split.train = rows - split.valid - split.test;
  return split;
}

Forecasting::Forecasting(const data::SeriesData& data, const SeriesSplit& split,
                         const ForecastingOptions& options)
    : split_(split), options_(options) {
  models::ForecasterOptions model = options.model;
  const int64_t needed = model.context_length + model.horizon;
  check_usage(split.total() <= data.length(), "split: expected at most the ", data.length(),
              " rows of ", data.file, ", got ", split.total());
  check_usage(split.train >= needed, "training: expected at least ", needed,
              " rows (context_length + horizon), got ", split.train);
  check_usage(split.valid >= model.horizon, "validation: expected at least ", model.horizon,
              " rows (the horizon), got ", split.valid);
  for (const std::string& name : options.covariates) column_of(data, name);
  for (const std::string& name : data.names) {
    const auto& known = options.covariates;
    const bool covariate = std::find(known.begin(), known.end(), name) != known.end();
    (covariate ? trained_.covariates : trained_.series).push_back(name);
  }
  check_usage(!trained_.series.empty(), "covariates: expected a series beside them, got none");
  trained_.time_column = data.time_column;
  trained_.coverages = options.coverages;
  measure(trained_, data, split.train);
  series_ = standardized(trained_, data);
  model.num_series = std::ssize(trained_.series);
  model.num_covariates = std::ssize(trained_.covariates);
  trained_.model = std::make_shared<models::Forecaster>(model);
  if (model.linear_shortcut) {
    const auto linear = LinearForecast::with_best_ridge(
        series_, split.train, split.train + split.valid, model.context_length, model.horizon);
    trained_.model->begin_with(linear.map().t());
  }
  lengths_.assign(static_cast<size_t>(split.train - needed + 1), needed);
}

std::vector<Source> Forecasting::sources() const {
  return {source_of("series", [&](Checksum& sum) {
    sum.add(trained_.series);
    sum.add(trained_.covariates);
    for (const at::Tensor& table : {series_.values, series_.covariates}) {
      if (!table.defined()) continue;
      const at::Tensor whole = table.contiguous();
      const auto* first = whole.const_data_ptr<float>();
      sum.add(std::vector<float>(first, first + whole.numel()));
    }
    for (const int64_t rows : {split_.train, split_.valid, split_.test}) sum.add(rows);
  })};
}

std::unique_ptr<WindowBatch> Forecasting::batch_of(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<WindowBatch>(std::move(examples));
  const auto& o = options_.model;
  batch->windows = windows_at(series_, at::tensor(batch->examples) + o.context_length,
                              o.context_length, o.horizon);
  return batch;
}

Loss Forecasting::loss_of(const WindowBatch& batch) {
  const SeriesWindows& windows = batch.windows;
  const at::Device device = device_of(*trained_.model);
  const at::Tensor known =
      windows.covariates.defined() ? windows.covariates.to(device) : at::Tensor();
  const at::Tensor forecasts = trained_.model->forward(windows.past.to(device), known);
  return {.value = (forecasts - windows.future.to(device)).square().mean(),
          .tokens = windows.past.size(0) * windows.past.size(1)};
}

Metrics Forecasting::validate(const Progress& progress) {
  const c10::InferenceMode inference;
  const auto& o = options_.model;
  std::vector<metrics::ForecastErrors> by_series(trained_.series.size());
  std::vector<at::Tensor> absolute;
  for_each_window(series_, split_.train, split_.train + split_.valid, o.context_length, o.horizon,
                  progress, [&](const SeriesWindows& windows) {
                    const at::Tensor forecasts =
                        trained_.model->forward(windows.past, windows.covariates);
                    add_errors(by_series, forecasts, windows.future);
                    absolute.push_back((forecasts - windows.future).abs());
                  });
  const at::Tensor errors = at::cat(absolute).permute({1, 2, 0}).contiguous();  // (F, S, windows)
  trained_.half_widths.clear();
  for (const double coverage : trained_.coverages) {
    for (int64_t cell = 0; cell < errors.size(0) * errors.size(1); ++cell) {
      const auto* first = errors.const_data_ptr<float>() + cell * errors.size(2);
      trained_.half_widths.push_back(
          metrics::conformal_half_width({first, first + errors.size(2)}, coverage));
    }
  }
  const metrics::ForecastErrors all = sum_of(by_series);
  return {{"loss", all.mse()}, {"mse", all.mse()}, {"mae", all.mae()}};
}

void Forecasting::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

StandardizedSeries standardized(const models::TrainedForecaster& trained,
                                const data::SeriesData& data) {
  return {.values = columns(data, trained.series, trained, 0),
          .covariates = trained.covariates.empty()
                            ? at::Tensor()
                            : columns(data, trained.covariates, trained, trained.series.size())};
}

ForecastEvaluation evaluate(const models::TrainedForecaster& trained,
                            const StandardizedSeries& series, int64_t begin, int64_t end,
                            int64_t season, const Progress& progress) {
  const c10::InferenceMode inference;
  const auto& o = trained.model->options();
  const size_t count = trained.series.size();
  const at::Tensor widths = half_widths(trained);
  const bool seasonal = season > 1 && season <= o.context_length;
  std::optional<LinearForecast> linear;
  if (windows_between(0, begin, o.context_length, o.horizon) > 0) {
    linear.emplace(series, begin, o.context_length, o.horizon);
  }
  ForecastEvaluation result;
  result.by_series.resize(count);
  std::vector<metrics::ForecastErrors> last(count);
  std::vector<metrics::ForecastErrors> repeated(count);
  std::vector<metrics::ForecastErrors> mapped(count);
  at::Tensor inside = at::zeros({std::ssize(trained.coverages)}, at::kDouble);
  for_each_window(
      series, begin, end, o.context_length, o.horizon, progress, [&](const SeriesWindows& windows) {
        const at::Tensor forecasts = trained.model->forward(windows.past, windows.covariates);
        add_errors(result.by_series, forecasts, windows.future);
        add_errors(last, last_value(windows.past, o.horizon), windows.future);
        if (seasonal) {
          add_errors(repeated, last_season(windows.past, o.horizon, season), windows.future);
        }
        if (linear) add_errors(mapped, linear->forward(windows.past), windows.future);
        if (widths.defined()) {
          const at::Tensor held = (forecasts - windows.future).abs().unsqueeze(1) <= widths;
          inside += held.sum(at::IntArrayRef{0, 2, 3}).to(at::kDouble);
        }
      });
  result.model = sum_of(result.by_series);
  result.baselines.emplace_back("last value", sum_of(last));
  if (seasonal) result.baselines.emplace_back("last season", sum_of(repeated));
  if (linear) result.baselines.emplace_back("linear", sum_of(mapped));
  for (size_t i = 0; widths.defined() && i < trained.coverages.size(); ++i) {
    result.coverage.emplace_back(trained.coverages[i],
                                 inside[static_cast<int64_t>(i)].item<double>() /
                                     static_cast<double>(std::max<int64_t>(1, result.model.count)));
  }
  return result;
}

at::Tensor forecast(const models::TrainedForecaster& trained, const StandardizedSeries& series) {
  const c10::InferenceMode inference;
  const auto& o = trained.model->options();
  const int64_t rows = series.values.size(0);
  check_usage(rows >= o.context_length, "expected at least ", o.context_length,
              " rows (context_length), got ", rows);
  at::Tensor known;
  if (o.num_covariates > 0) {
    check_usage(series.covariates.size(0) >= rows + o.horizon, "expected the covariates of ",
                o.horizon, " rows behind the last value (the horizon), got ",
                series.covariates.size(0) - rows);
    known = series.covariates.narrow(0, rows - o.context_length, o.context_length + o.horizon)
                .unsqueeze(0);
  }
  const at::Tensor past =
      series.values.narrow(0, rows - o.context_length, o.context_length).unsqueeze(0);
  const at::Tensor scale = at::tensor(trained.deviations).narrow(0, 0, o.num_series);
  const at::Tensor shift = at::tensor(trained.means).narrow(0, 0, o.num_series);
  return trained.model->forward(past, known).squeeze(0).to(at::kDouble) * scale + shift;
}

}  // namespace heed::tasks
