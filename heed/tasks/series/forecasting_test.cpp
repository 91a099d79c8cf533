#include "heed/tasks/series/forecasting.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/tasks/series/forecast_baselines.h"
#include "heed/tasks/testing/test_learning.h"

namespace heed::tasks {
namespace {

// Two waves of 12 steps and what is known of the first.
data::SeriesData waves(int64_t rows) {
  data::SeriesData data;
  data.file = "waves.csv";
  data.names = {"a", "b", "known"};
  for (int64_t t = 0; t < rows; ++t) {
    const double angle = static_cast<double>(t) * 2 * M_PI / 12;
    for (const double value : {10 + 3 * std::sin(angle), -std::cos(angle), std::sin(angle)}) {
      data.values.push_back(static_cast<float>(value));
    }
  }
  data.known.assign(3, rows);
  return data;
}

ForecastingOptions small_forecasting() {
  ForecastingOptions options;
  options.model.context_length = 24;
  options.model.horizon = 6;
  options.model.patch_length = 6;
  options.model.patch_stride = 6;
  options.model.transformer.num_layers = 1;
  options.model.transformer.d_ff = 32;
  options.model.transformer.dropout = 0;
  options.model.transformer.embedding_dropout = 0;
  return options;
}

TEST(Forecasting, LearnsAWave) {
  at::manual_seed(1);
  const data::SeriesData data = waves(200);
  Forecasting task(data, split_by_shares(200, 0.2, 0.2), small_forecasting());
  learn(task, {0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55}, 150);
  const Metrics metrics = task.validate({});
  expect_all(Forecasting::watchable(), metrics);
  EXPECT_FALSE(task.watched("").higher_is_better);
  EXPECT_FALSE(task.watched("mae").higher_is_better);
  EXPECT_LT(metric(metrics, "mse"), 0.1);
  const StandardizedSeries series = standardized(task.trained(), data);
  const ForecastEvaluation evaluation = evaluate(task.trained(), series, 160, 200, 12, {});
  EXPECT_LT(evaluation.model.mse(), 0.1);
  ASSERT_EQ(evaluation.baselines.size(), 3u);
  EXPECT_GT(evaluation.baselines[0].second.mse(), 0.3);   // last value
  EXPECT_LT(evaluation.baselines[1].second.mse(), 1e-6);  // last season
  EXPECT_LT(evaluation.baselines[2].second.mse(), 1e-2);  // linear
  ASSERT_EQ(evaluation.coverage.size(), 2u);
  EXPECT_GT(evaluation.coverage[1].second, 0.85);
  const at::Tensor next = forecast(task.trained(), series);
  EXPECT_EQ(next.sizes(), at::IntArrayRef({6, 3}));
  EXPECT_NEAR(next[0][0].item<double>(), 10 + 3 * std::sin(200 * 2 * M_PI / 12), 1.5);
}

TEST(Forecasting, BeginsAsTheLinearMap) {
  at::manual_seed(4);
  const data::SeriesData data = waves(200);
  Forecasting task(data, split_by_shares(200, 0.2, 0.2), small_forecasting());
  EXPECT_LT(metric(task.validate({}), "mse"), 1e-4);
  ForecastingOptions options = small_forecasting();
  options.model.linear_shortcut = false;
  Forecasting plain(data, split_by_shares(200, 0.2, 0.2), options);
  EXPECT_GT(metric(plain.validate({}), "mse"), 0.1);
}

// Steps of chance: nothing is better than the last value, and a map fitted to few of them is worse.
TEST(LinearForecast, TheRidgeKeepsItFromChance) {
  at::manual_seed(5);
  const StandardizedSeries series{.values = at::randn({300, 1}).cumsum(0)};
  const auto error = [&](const LinearForecast& forecast) {
    double sum = 0;
    for_each_window(series, 200, 300, 48, 4, {}, [&](const SeriesWindows& windows) {
      sum += (forecast.forward(windows.past) - windows.future).square().sum().item<double>();
    });
    return sum;
  };
  const double last =
      error(LinearForecast::with_best_ridge({.values = at::zeros({60, 1})}, 55, 60, 48, 4));
  EXPECT_GT(error(LinearForecast(series, 100, 48, 4)), 1.2 * last);
  EXPECT_LT(error(LinearForecast::with_best_ridge(series, 100, 200, 48, 4)), 1.1 * last);
}

TEST(Forecasting, IsStandardisedWithTheTrainingPartAlone) {
  at::manual_seed(2);
  data::SeriesData data = waves(120);
  for (size_t i = 3 * 72; i < data.values.size(); ++i) data.values[i] = 1000;
  const Forecasting task(data, {.train = 72, .valid = 24, .test = 24}, small_forecasting());
  EXPECT_NEAR(task.trained().means[0], 10, 1e-3);
  EXPECT_NEAR(task.trained().deviations[0], 3 / std::sqrt(2), 1e-3);
}

TEST(Forecasting, PartsThatAreTooShortAreNamed) {
  const data::SeriesData data = waves(100);
  EXPECT_THROW(Forecasting(data, {.train = 29, .valid = 20, .test = 0}, small_forecasting()),
               UsageError);
  EXPECT_THROW(Forecasting(data, {.train = 60, .valid = 5, .test = 0}, small_forecasting()),
               UsageError);
  EXPECT_THROW(Forecasting(data, {.train = 90, .valid = 20, .test = 0}, small_forecasting()),
               UsageError);
  ForecastingOptions options = small_forecasting();
  options.covariates = {"weather"};
  EXPECT_THROW(Forecasting(data, {.train = 60, .valid = 20, .test = 0}, options), UsageError);
  EXPECT_THROW(split_by_shares(100, 0.5, 0.5), UsageError);
}

TEST(Forecasting, CovariatesOfTheFutureAreNeeded) {
  at::manual_seed(3);
  ForecastingOptions options = small_forecasting();
  options.covariates = {"known"};
  const data::SeriesData data = waves(120);
  Forecasting task(data, {.train = 72, .valid = 24, .test = 24}, options);
  EXPECT_EQ(task.trained().series, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(std::isfinite(metric(task.validate({}), "mse")));
  StandardizedSeries series = standardized(task.trained(), data);
  EXPECT_THROW(forecast(task.trained(), series), UsageError);
  series.values = series.values.narrow(0, 0, 114);
  EXPECT_EQ(forecast(task.trained(), series).size(0), 6);
}

TEST(Windows, FutureLiesInThePart) {
  EXPECT_EQ(windows_between(0, 30, 24, 6), 1);
  EXPECT_EQ(windows_between(30, 40, 24, 6), 5);
  EXPECT_EQ(windows_between(0, 20, 24, 6), 0);
}

}  // namespace
}  // namespace heed::tasks
