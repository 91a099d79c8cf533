#include "heed/tasks/series/short_series.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "heed/base/error.h"

namespace heed::tasks {
namespace {

TEST(ShortSeries, FiveNumbersVouchForFourOfFive) {
  const std::array<float, 5> numbers = {2, 5, 10, 6, 8};
  const ShortForecast forecast = forecast_short(numbers);
  EXPECT_DOUBLE_EQ(forecast.coverage, 0.8);
  EXPECT_GT(forecast.half_width, 2);  // the largest of four errors
  EXPECT_GT(forecast.next, 2);
  EXPECT_LT(forecast.next, 10);
  EXPECT_NEAR(std::accumulate(forecast.weights.begin(), forecast.weights.end(), 0.0), 1, 1e-12);
  EXPECT_EQ(forecast.weights.size(), 4u);
}

TEST(ShortSeries, AttentionSeesWhatFollowed) {
  std::vector<float> numbers;
  for (int i = 0; i < 40; ++i) numbers.push_back(i % 2 == 0 ? 0.f : 10.f);
  const ShortForecast forecast = forecast_short(numbers);
  EXPECT_EQ(forecast.rule, "attention");
  EXPECT_LT(forecast.next, 2);
  EXPECT_EQ(forecast.coverage, 0.95);
}

TEST(ShortSeries, AWalkGoesOnFromWhereItIs) {
  std::vector<float> numbers;
  for (int i = 0; i < 30; ++i) numbers.push_back(static_cast<float>(i));
  EXPECT_EQ(forecast_short(numbers).rule, "last value");
}

TEST(ShortSeries, ConstantNumbersAreCertain) {
  const std::array<float, 4> numbers = {3, 3, 3, 3};
  EXPECT_DOUBLE_EQ(forecast_short(numbers).next, 3);
  EXPECT_EQ(forecast_short(numbers).half_width, 0);
}

TEST(ShortSeries, TwoNumbersAreTooFew) {
  EXPECT_THROW(forecast_short(std::array<float, 2>{1, 2}), UsageError);
}

}  // namespace
}  // namespace heed::tasks
