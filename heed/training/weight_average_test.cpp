#include "heed/training/weight_average.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "heed/base/error.h"

namespace heed::training {
namespace {

TEST(WeightAverage, IsTheFormulaInItsHeader) {
  at::Tensor weight = at::tensor({8.0F}).requires_grad_();
  WeightAverage average({weight}, 0.9);
  double expected = 8;
  const c10::AutoGradMode no_gradients(false);
  for (int step = 1; step <= 200; ++step) {
    weight.fill_(step % 7);
    average.update();
    const double decay = std::min(0.9, (1.0 + step) / (10.0 + step));
    expected = decay * expected + (1 - decay) * (step % 7);
  }
  average.swap();
  EXPECT_NEAR(weight.item<double>(), expected, 1e-5);
  average.swap();
  EXPECT_EQ(weight.item<double>(), 200 % 7);
}

TEST(WeightAverage, OffLeavesTheWeightsAlone) {
  at::Tensor weight = at::tensor({8.0F});
  WeightAverage average({weight}, 0);
  weight.fill_(3);
  average.update();
  average.swap();
  EXPECT_EQ(weight.item<double>(), 3);
  EXPECT_THROW(WeightAverage({weight}, 1), UsageError);
}

}  // namespace
}  // namespace heed::training
