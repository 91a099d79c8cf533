#include "heed/nn/attention/attention_pooling.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace heed::nn {
namespace {

// Equations 5 to 7 of the paper, word by word.
at::Tensor by_the_paper(const AttentionPooling& pooling, const at::Tensor& states) {
  const at::Tensor u =
      (states.matmul(pooling.projection->weight.t()) + pooling.projection->bias).tanh();
  const at::Tensor alpha = u.matmul(pooling.context[0]).softmax(0);
  return alpha.matmul(states);
}

TEST(AttentionPooling, IsThatOfThePaper) {
  at::manual_seed(2);
  const AttentionPooling pooling(24);
  const at::Tensor states = at::randn({4, 9, 24});
  const at::Tensor lengths = at::tensor({9, 1, 4, 0}, at::kLong);
  at::Tensor weights;
  const at::Tensor pooled = pooling.forward(states, lengths, &weights);
  ASSERT_EQ(pooled.sizes(), (at::IntArrayRef{4, 24}));
  ASSERT_EQ(weights.sizes(), (at::IntArrayRef{4, 9}));
  for (int64_t b = 0; b < 3; ++b) {
    const at::Tensor real = states[b].slice(0, 0, lengths[b].item<int64_t>());
    EXPECT_LT((pooled[b] - by_the_paper(pooling, real)).abs().max().item<double>(), 1e-5) << b;
    EXPECT_NEAR(weights[b].sum().item<double>(), 1, 1e-5);
    EXPECT_LT((weights[b].matmul(states[b]) - pooled[b]).abs().max().item<double>(), 1e-5) << b;
  }
  EXPECT_EQ(pooled[3].abs().max().item<double>(), 0);
  EXPECT_EQ(weights[3].abs().max().item<double>(), 0);
}

TEST(AttentionPooling, LearnsEverythingItHas) {
  at::manual_seed(2);
  AttentionPooling pooling(8);
  const at::Tensor states = at::randn({2, 5, 8}).requires_grad_();
  pooling.forward(states, at::tensor({5, 3}, at::kLong)).pow(2).sum().backward();
  for (const auto& item : pooling.named_parameters()) {
    EXPECT_GT(item.value().grad().abs().sum().item<double>(), 0) << item.key();
  }
  EXPECT_EQ(states.grad()[1].slice(0, 3).abs().max().item<double>(), 0);
  EXPECT_GT(states.grad()[1].slice(0, 0, 3).abs().min().item<double>(), 0);
}

}  // namespace
}  // namespace heed::nn
