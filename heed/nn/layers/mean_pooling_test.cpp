#include "heed/nn/layers/mean_pooling.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "heed/base/error.h"
#include "heed/nn/testing/test_tensors.h"

namespace heed::nn {
namespace {

TEST(MeanPooling, IsTheMeanOfTheRealTokens) {
  at::manual_seed(5);
  at::Tensor states = at::randn({3, 4, 6});
  states[1].slice(0, 2).fill_(std::numeric_limits<double>::quiet_NaN());
  const at::Tensor lengths = at::tensor({4, 2, 0}, at::kLong);
  const at::Tensor mean = MeanPooling().forward(states, lengths);
  EXPECT_EQ(mean.sizes(), (at::IntArrayRef{3, 6}));
  EXPECT_LT(distance(mean[0], states[0].mean(0)), 1e-6);
  EXPECT_LT(distance(mean[1], states[1].slice(0, 0, 2).mean(0)), 1e-6);
  EXPECT_EQ(mean[2].abs().max().item<double>(), 0);
}

TEST(MeanPooling, WithoutLengthsAllTokensCount) {
  at::manual_seed(5);
  const at::Tensor states = at::randn({2, 4, 6});
  EXPECT_LT(distance(mean_over_tokens(states), states.mean(1)), 1e-6);
  EXPECT_TRUE(mean_over_tokens(at::zeros({2, 0, 6})).equal(at::zeros({2, 6})));
}

TEST(MeanPooling, SaysWhichLengthsDoNotFit) {
  const at::Tensor states = at::zeros({2, 4, 6});
  EXPECT_THROW(mean_over_tokens(states, at::tensor({4}, at::kLong)), UsageError);
  EXPECT_THROW(mean_over_tokens(states, at::tensor({4., 2.})), UsageError);
  EXPECT_THROW(mean_over_tokens(states[0]), UsageError);
}

}  // namespace
}  // namespace heed::nn
