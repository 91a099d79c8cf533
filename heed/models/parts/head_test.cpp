#include "heed/models/parts/head.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>

namespace heed::models {
namespace {

TEST(Head, DropsWhatItsDenseLayerReads) {
  const c10::AutoGradMode no_gradients(false);
  at::manual_seed(3);
  Head head({.d_model = 16, .inner_dropout = 0.5, .d_inner = 16});
  head.dense->weight.copy_(at::eye(16));
  head.dense->bias.zero_();
  const at::Tensor states = at::ones({1, 40, 16});
  const at::Tensor learning = head.forward(states, {});
  const at::Tensor kept = learning.isclose(at::full({}, std::tanh(2.F)));
  EXPECT_TRUE(kept.logical_or(learning == 0).all().item<bool>());
  EXPECT_GT(kept.sum().item<int64_t>(), 200);
  EXPECT_LT(kept.sum().item<int64_t>(), 440);
  head.eval();
  EXPECT_TRUE(head.forward(states, {}).allclose(states.tanh()));
}

}  // namespace
}  // namespace heed::models
