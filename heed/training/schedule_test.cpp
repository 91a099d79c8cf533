#include "heed/training/schedule.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed::training {
namespace {

TEST(Schedule, WarmUpRisesToThePeak) {
  const ScheduleOptions options{.name = "linear", .peak = 1, .warmup_steps = 4, .total_steps = 8};
  EXPECT_DOUBLE_EQ(learning_rate(options, 0), 0.25);
  EXPECT_DOUBLE_EQ(learning_rate(options, 3), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(options, 4), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate(options, 6), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate(options, 8), 0.0);
  EXPECT_DOUBLE_EQ(learning_rate(options, 100), 0.0);
}

TEST(Schedule, CosineIsHalfwayAtHalf) {
  EXPECT_NEAR(learning_rate({.name = "cosine", .peak = 2, .total_steps = 10}, 5), 1.0, 1e-12);
}

TEST(Schedule, InverseSquareRootMeetsTheWarmUp) {
  const ScheduleOptions options{.name = "inverse_sqrt", .peak = 3, .warmup_steps = 100};
  EXPECT_DOUBLE_EQ(learning_rate(options, 99), 3.0);
  EXPECT_DOUBLE_EQ(learning_rate(options, 399), 1.5);
}

TEST(Schedule, RefusesAnUnknownName) {
  EXPECT_THROW(learning_rate({.name = "staircase"}, 0), UsageError);
}

}  // namespace
}  // namespace heed::training
