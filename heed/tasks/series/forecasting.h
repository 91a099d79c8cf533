// Learning to continue time series.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "heed/data/series/series_data.h"
#include "heed/metrics/series.h"
#include "heed/models/files/forecaster_files.h"
#include "heed/tasks/common/task.h"
#include "heed/tasks/series/series_windows.h"

namespace heed::tasks {

// Rows of the three parts, one behind the other. A forecast is of the part that its whole horizon
// lies in; the past that it reads may reach back into the part before.
struct SeriesSplit {
  int64_t train = 0;
  int64_t valid = 0;
  int64_t test = 0;

  int64_t total() const { return train + valid + test; }
};

// By shares of all rows. Throws UsageError where the shares leave nothing to train.
SeriesSplit split_by_shares(int64_t rows, double valid_share, double test_share);

struct ForecastingOptions {
  // The numbers of series and covariates are read from the data.
  models::ForecasterOptions model = {.linear_shortcut = true};
  std::vector<std::string> covariates = {};     // series that are known of the future, too
  std::vector<double> coverages = {0.8, 0.95};  // of prediction intervals
};

// A forecast for each window of a part, all of them together.
struct ForecastEvaluation {
  metrics::ForecastErrors model;
  std::vector<std::pair<std::string, metrics::ForecastErrors>> baselines;
  std::vector<metrics::ForecastErrors> by_series;        // S
  std::vector<std::pair<double, double>> coverage = {};  // wanted, seen
};

struct WindowBatch final : Batch {
  using Batch::Batch;
  SeriesWindows windows;
};

class Forecasting final : public TaskOf<WindowBatch> {
 public:
  // A fresh model. Weights come from torch's default generator. Throws UsageError where a part is
  // shorter than a forecast needs and for covariates that are not there.
  Forecasting(const data::SeriesData& data, const SeriesSplit& split,
              const ForecastingOptions& options);

  std::string name() const override { return "forecast"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<Source> sources() const override;
  std::unique_ptr<WindowBatch> batch_of(std::vector<int64_t> examples) const override;
  Loss loss_of(const WindowBatch& batch) override;
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override {
    return watched_among(watchable(), name, "mse");
  }
  static std::vector<Watched> watchable() { return {lowest("loss"), lowest("mse"), lowest("mae")}; }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedForecaster& trained() const { return trained_; }

 private:
  SeriesSplit split_;
  ForecastingOptions options_;
  models::TrainedForecaster trained_;
  StandardizedSeries series_;
  std::vector<int64_t> lengths_;
};

// The columns that the model knows, standardised as it was trained. Throws UsageError where one is
// missing.
StandardizedSeries standardized(const models::TrainedForecaster& trained,
                                const data::SeriesData& data);

// Errors, in standardised units, on all windows whose future lies in rows [begin, end), and those
// of the baselines; the linear one is fitted on rows [0, begin).
ForecastEvaluation evaluate(const models::TrainedForecaster& trained,
                            const StandardizedSeries& series, int64_t begin, int64_t end,
                            int64_t season, const Progress& progress);

// What follows the last L rows: (F, S) in the units of the data. `covariates` of the future (F, K)
// stand behind the values, in rows that have no values yet.
at::Tensor forecast(const models::TrainedForecaster& trained, const StandardizedSeries& series);

}  // namespace heed::tasks
