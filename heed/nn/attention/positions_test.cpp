#include "heed/nn/attention/positions.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"

namespace heed::nn {
namespace {

TEST(Positions, AreTheSinesAndCosinesOfThePaper) {
  const int64_t width = 6;
  const at::Tensor table = sinusoidal_positions(50, width);
  for (const int64_t n : {0, 1, 17, 49}) {
    for (int64_t c = 0; c < width; ++c) {
      const double pair = static_cast<double>(c / 2 * 2);
      const double angle = static_cast<double>(n) / std::pow(10000.0, pair / width);
      const double expected = c % 2 == 0 ? std::sin(angle) : std::cos(angle);
      EXPECT_NEAR(table[n][c].item<double>(), expected, 1e-7) << n << ' ' << c;
    }
  }
}

TEST(Positions, AreAddedToEachRow) {
  const SinusoidalPositions positions({.max_length = 9, .d_model = 4});
  const at::Tensor input = at::randn({2, 5, 4});
  EXPECT_TRUE(at::equal(positions.forward(input), input + sinusoidal_positions(5, 4)));
}

TEST(Positions, MayBeginLaterAndDifferByRow) {
  at::manual_seed(4);
  const LearnedPositions positions({.max_length = 9, .d_model = 4});
  EXPECT_NEAR(positions.table.std().item<double>(), 0.02, 0.01);
  const at::Tensor zeros = at::zeros({2, 3, 4});
  EXPECT_TRUE(at::equal(positions.forward(zeros, {.start = 5})[1], positions.table.slice(0, 5, 8)));
  const at::Tensor starts = at::tensor({6, 1}, at::kLong);
  const at::Tensor by_row = positions.forward(zeros, {.starts = starts});
  EXPECT_TRUE(at::equal(by_row[0], positions.table.slice(0, 6, 9)));
  EXPECT_TRUE(at::equal(by_row[1], positions.table.slice(0, 1, 4)));
  EXPECT_THROW(positions.forward(zeros, {.start = 7}), UsageError);
  by_row.sum().backward();
  EXPECT_EQ(positions.table.grad().sum().item<double>(), 2 * 3 * 4);
}

// The table is made for the inputs that come, and not for the longest that might.
TEST(Positions, OfAVeryLongInputCostNothingBeforeItComes) {
  const SinusoidalPositions positions({.max_length = int64_t{1} << 40, .d_model = 4});
  const at::Tensor input = at::zeros({1, 2, 4});
  EXPECT_EQ(positions.forward(input).size(1), 2);
}

TEST(Positions, MadeInInferenceModeMayBeTrainedWith) {
  const SinusoidalPositions positions({.max_length = 200, .d_model = 4});
  {
    const c10::InferenceMode inference;
    positions.forward(at::zeros({1, 100, 4}));
  }
  const at::Tensor weight = at::ones({4}).requires_grad_();
  positions.forward(at::zeros({1, 100, 4})).mul(weight).sum().backward();
  EXPECT_NEAR(weight.grad()[1].item<double>(),
              sinusoidal_positions(100, 4).sum(0)[1].item<double>(), 1e-4);
}

TEST(Positions, RefuseALongerInput) {
  const SinusoidalPositions positions({.max_length = 4, .d_model = 4});
  EXPECT_THROW(positions.forward(at::zeros({1, 5, 4})), UsageError);
}

}  // namespace
}  // namespace heed::nn
