#include "heed/metrics/series.h"

#include <gtest/gtest.h>

namespace heed::metrics {
namespace {

TEST(ForecastErrors, AreMeansOverAllNumbers) {
  ForecastErrors errors;
  errors.add(1, 2);
  ForecastErrors others;
  others.add(5, 2);
  errors.add(others);
  EXPECT_DOUBLE_EQ(errors.mse(), 5);
  EXPECT_DOUBLE_EQ(errors.mae(), 2);
  EXPECT_EQ(ForecastErrors().mse(), 0);
}

TEST(ConformalHalfWidth, TakesTheRankThatHoldsTheNextOne) {
  EXPECT_EQ(conformal_half_width({9, 1, 3, 2, 4, 5, 6, 7, 8}, 0.8), 8);  // ceil(10 · 0.8) = 8
  EXPECT_EQ(conformal_half_width({1, 2}, 0.95), 2);
  EXPECT_EQ(conformal_half_width({}, 0.95), 0);
}

}  // namespace
}  // namespace heed::metrics
