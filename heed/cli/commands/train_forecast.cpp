#include <ATen/ATen.h>

#include <algorithm>
#include <charconv>
#include <iostream>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/cli/command.h"
#include "heed/cli/common.h"
#include "heed/cli/options/forecast_sets.h"
#include "heed/cli/options/model_options.h"
#include "heed/cli/options/training_settings.h"
#include "heed/cli/writing/forecast_report.h"
#include "heed/tasks/series/forecast_baselines.h"
#include "heed/tasks/series/forecasting.h"

namespace heed::cli {
namespace {

training::TrainingOptions train_forecast_defaults() {
  training::TrainingOptions options;
  options.epochs = 10;
  options.batch_size = 64;
  options.lr = 1e-4;  // what is left beside the linear map is little, and soon learnt by heart
  options.patience = 3;
  return options;
}

struct TrainForecastSettings {
  std::string train;
  HeldOutShares held_out;
  std::vector<std::string> split;
  int64_t season = 0;
  SeriesReading reading;
  ReadingOptions table;
  TimedRows rows;
  tasks::ForecastingOptions task;
  TrainingSettings training{train_forecast_defaults()};
};

tasks::SeriesSplit split_of(const TrainForecastSettings& settings, const data::SeriesData& data) {
  if (settings.split.empty()) {
    return tasks::split_by_shares(data.length(), settings.held_out.valid, settings.held_out.test);
  }
  std::vector<int64_t> rows;
  for (const std::string& part : settings.split) {
    int64_t count = -1;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), count);
    if (error == std::errc() && end == part.data() + part.size()) rows.push_back(count);
  }
  check_usage(rows.size() == 3 && settings.split.size() == 3 && std::ranges::min(rows) >= 0,
              "--split: expected the rows of three parts, such as 8640,2880,2880");
  return {.train = rows[0], .valid = rows[1], .test = rows[2]};
}

// The values of these series in the steps of a horizon, (F, S).
at::Tensor values_of(const data::SeriesData& data, const std::vector<std::string>& series,
                     int64_t first, int64_t horizon) {
  at::Tensor values = at::empty({horizon, std::ssize(series)});
  for (int64_t s = 0; s < values.size(1); ++s) {
    const auto name =
        std::find(data.names.begin(), data.names.end(), series[static_cast<size_t>(s)]);
    for (int64_t step = 0; step < horizon; ++step) {
      const int64_t cell = (first + step) * std::ssize(data.names) + (name - data.names.begin());
      values[step][s] = data.values[static_cast<size_t>(cell)];
    }
  }
  return values;
}

// Some of the windows that validate, as `heed attend MODEL FILE --row` takes them.
HeldOut shown_windows(const std::string& file, const data::SeriesData& data,
                      const tasks::SeriesSplit& split, const models::TrainedForecaster& trained) {
  if (file == "-") return {};
  const auto& o = trained.model->options();
  const int64_t begin = std::max(split.train, o.context_length);
  const int64_t count = split.train + split.valid - o.horizon - begin + 1;
  return held_out_of(static_cast<size_t>(std::max<int64_t>(count, 0)), [&](size_t i) {
    const int64_t first = begin + static_cast<int64_t>(i);
    const std::string time = data.time_of(first);
    return HeldOutExample{
        .input = file,
        .about = {
            .name = "What follows the " + std::to_string(o.context_length) + " rows before " + time,
            .right = time + ": " +
                     steps_text(trained.series, values_of(data, trained.series, first, o.horizon)),
            .options = {{"row", std::to_string(first + 1)}}}};
  });
}

void run_train_forecast(const TrainForecastSettings& settings) {
  settings.training.prepare();
  tasks::ForecastingOptions options = settings.task;
  options.model.transformer = resolved(options.model.transformer);
  check(options.model);
  if (settings.split.empty()) {  // throws before the data is read
    tasks::split_by_shares(0, settings.held_out.valid, settings.held_out.test);
  }
  const data::SeriesData data =
      settings.reading.read(settings.train, settings.table, settings.rows);
  const tasks::SeriesSplit split = split_of(settings, data);
  tasks::Forecasting task(data, split, options);
  std::cerr << "heed: " << task.trained().series.size() << " series of " << split.train
            << " rows to train, " << split.valid << " to validate, " << split.test << " to test\n";
  settings.training.train(task, shown_windows(settings.train, data, split, task.trained()));
  if (split.test < options.model.horizon) return;
  const models::TrainedForecaster best = models::load_forecaster(settings.training.out);
  const int64_t season = settings.season > 0 ? settings.season : tasks::usual_season(data);
  const auto evaluation = tasks::evaluate(best, tasks::standardized(best, data),
                                          split.train + split.valid, split.total(), season, {});
  std::cerr << "heed: on the test part, in standardised units:\n" << forecast_report(evaluation);
}

void define_train_forecast(Options& options, TrainForecastSettings& s) {
  options.add("--train", s.train, "Series: a table with a row for each time, in order")
      .required()
      .group("Series");
  s.held_out.add_to(options, "Series", "Share of the rows that validates, behind those that train",
                    "Share of the rows that is tested at the end, the last");
  options
      .add("--split", s.split,
           "Rows that train, validate and test, in place of the shares: 8640,2880,2880; what is "
           "behind them is not read")
      .separated_by(',')
      .group("Series");
  options
      .add("--covariates", s.task.covariates,
           "Columns that are known of the future, too: read beside the series, not predicted")
      .separated_by(',')
      .group("Series");
  options
      .add("--season", s.season,
           "Steps of a season, for the baseline that repeats the last one; 0: told by the times")
      .at_least(0)
      .group("Series");
  s.reading.add_to(options);
  s.rows.add_to(options);
  s.table.add_table_options(options);
  // The patches of a context are what it reads at once.
  add_model_options(options, s.task.model, {.help = {{"max_length", ""}}});
  s.training.add_to(options, tasks::Forecasting::watchable());
}

}  // namespace

Command train_forecast_command() {
  return {
      .path = "train forecast",
      .summary = "Train a model that continues time series",
      .examples =
          "  heed train forecast --train power.csv --horizon 24 --out model\n"
          "  heed train forecast --train ETTh1.csv --split 8640,2880,2880 --context-length 512 "
          "--out model\n"
          "  heed train forecast --train long.csv --series-column id --value-column y --out model\n"
          "  heed train forecast --train sales.csv --covariates holiday,price --out model\n",
      .define = with_settings(define_train_forecast, run_train_forecast),
  };
}

}  // namespace heed::cli
