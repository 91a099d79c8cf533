#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "heed/base/error.h"
#include "heed/ops/attention.h"

namespace heed {
namespace {

using at::indexing::Slice;

at::Tensor random_tensor(at::IntArrayRef shape) { return at::randn(shape, at::kDouble); }

TEST(AttentionMath, EqualsTheFormula) {
  at::manual_seed(1);
  const auto query = random_tensor({2, 4, 5, 8});
  const auto key = random_tensor({2, 2, 7, 8});
  const auto value = random_tensor({2, 2, 7, 3});
  const auto result = attention_math(query, key, value, {.pattern = Pattern::causal()});
  const auto wide_key = key.repeat_interleave(2, 1);
  auto scores = query.matmul(wide_key.transpose(-2, -1)) / std::sqrt(8.0);
  const auto later = at::ones({5, 7}, at::kBool).triu(3);
  scores = scores.masked_fill(later, -INFINITY);
  EXPECT_TRUE(at::allclose(result.output, scores.softmax(-1).matmul(value.repeat_interleave(2, 1)),
                           1e-12, 1e-12));
  EXPECT_TRUE(at::allclose(result.log_sum_exp, scores.logsumexp({-1}), 1e-12, 1e-12));
}

TEST(AttentionMath, RowWithoutKeysIsZeroAndItsGradientsToo) {
  const auto query = random_tensor({1, 1, 3, 4}).requires_grad_();
  const auto key = random_tensor({1, 1, 3, 4}).requires_grad_();
  const auto value = random_tensor({1, 1, 3, 2}).requires_grad_();
  auto mask = at::ones({3, 3}, at::kBool);
  mask.index_put_({1}, false);
  const auto result = attention_math(query, key, value, {.pattern = Pattern::from_mask(mask)});
  EXPECT_TRUE((result.output.index({0, 0, 1}) == 0).all().item<bool>());
  EXPECT_EQ(result.log_sum_exp.index({0, 0, 1}).item<double>(), -INFINITY);
  result.output.sum().backward();
  EXPECT_TRUE((query.grad().index({0, 0, 1}) == 0).all().item<bool>());
  EXPECT_TRUE(query.grad().isfinite().all().item<bool>());
  EXPECT_TRUE(key.grad().isfinite().all().item<bool>());
}

TEST(AttentionMath, NothingAtAllIsLegal) {
  const auto options = AttentionOptions{.pattern = Pattern::causal()};
  const auto none = attention_math(at::zeros({2, 3, 4, 8}), at::zeros({2, 3, 0, 8}),
                                   at::zeros({2, 3, 0, 5}), options);
  EXPECT_TRUE((none.output == 0).all().item<bool>());
  EXPECT_TRUE((none.log_sum_exp == -INFINITY).all().item<bool>());
  EXPECT_EQ(attention_math(at::zeros({0, 3, 4, 8}), at::zeros({0, 3, 2, 8}),
                           at::zeros({0, 3, 2, 5}), options)
                .output.sizes(),
            (std::vector<int64_t>{0, 3, 4, 5}));
  EXPECT_EQ(attention_math(at::zeros({2, 3, 0, 8}), at::zeros({2, 3, 2, 8}),
                           at::zeros({2, 3, 2, 5}), options)
                .output.sizes(),
            (std::vector<int64_t>{2, 3, 0, 5}));
}

TEST(AttentionMath, NanStaysWithThoseWhoAttendToIt) {
  const auto query = random_tensor({1, 2, 4, 8}).requires_grad_();
  auto key = random_tensor({1, 2, 4, 8});
  auto value = random_tensor({1, 2, 4, 8});
  key.index_put_({0, 0, 2}, NAN);
  value.index_put_({0, 1, 2}, NAN);
  for (const Score& score : {Score(ScaledDot{}), Score(Cosine{at::ones({2}, at::kDouble)}),
                             Score(Additive{at::ones({2, 8}, at::kDouble)})}) {
    const auto options = AttentionOptions{.score = score, .pattern = Pattern::causal()};
    const auto result = attention_math(query, key, value, options);
    const auto before = result.output.index({Slice(), Slice(), Slice(0, 2)});
    const auto after = result.output.index({Slice(), Slice(), Slice(2)});
    EXPECT_TRUE(before.isfinite().all().item<bool>()) << score.index();
    EXPECT_TRUE(after.isnan().all().item<bool>()) << score.index();
    const auto grad = torch::autograd::grad({before.sum()}, {query})[0];
    EXPECT_TRUE(grad.index({Slice(), Slice(), Slice(0, 2)}).isfinite().all().item<bool>())
        << score.index();
  }
}

TEST(AttentionMath, MistakesAreNamedWithTheirShapes) {
  const auto query = at::zeros({2, 4, 5, 8});
  try {
    attention_math(query, at::zeros({2, 3, 5, 8}), at::zeros({2, 3, 5, 8}));
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "attention: the 4 heads of query must be divisible by the 3 heads of key");
  }
  try {
    attention_math(query, query, at::zeros({2, 4, 6, 8}));
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_STREQ(
        error.what(),
        "attention: value must have the batch, heads and length of key, (2, 4, 5, Dv), got "
        "[2, 4, 6, 8]");
  }
  EXPECT_THROW(attention(query, {}, query), UsageError);
  EXPECT_THROW(attention_math(query, query, query, {.dropout = 1}), UsageError);
  EXPECT_THROW(attention_math(query, query, query, {.bias = at::zeros({4})}), UsageError);
  EXPECT_THROW(attention_math(query, query.to(at::kDouble), query), UsageError);
}

}  // namespace
}  // namespace heed
