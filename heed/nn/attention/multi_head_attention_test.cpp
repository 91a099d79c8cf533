#include "heed/nn/attention/multi_head_attention.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/nn/testing/test_tensors.h"
#include "heed/ops/attention/score_kinds.h"

namespace heed::nn {
namespace {

// The layer written out with plain products, one head after the other, in double.
at::Tensor written_out(const MultiHeadAttention& layer, const at::Tensor& input, int64_t heads) {
  const at::Tensor x = input.to(at::kDouble);
  const auto apply = [](const Linear& linear, const at::Tensor& values) {
    return values.matmul(linear.weight.to(at::kDouble).t()) + linear.bias.to(at::kDouble);
  };
  const auto parts = apply(*layer.query_key_value, x).chunk(3, -1);
  std::vector<at::Tensor> outputs;
  for (int64_t head = 0; head < heads; ++head) {
    const auto of_head = [&](const at::Tensor& all) { return all.chunk(heads, -1)[head]; };
    const at::Tensor query = of_head(parts[0]);
    const at::Tensor scores = query.matmul(of_head(parts[1]).transpose(-1, -2)) /
                              std::sqrt(static_cast<double>(query.size(-1)));
    outputs.push_back(scores.softmax(-1).matmul(of_head(parts[2])));
  }
  return apply(*layer.output, at::cat(outputs, -1));
}

TEST(MultiHeadAttention, IsTheFormulaOfThePaper) {
  at::manual_seed(3);
  for (const int64_t length : {1, 2, 17, 65}) {
    const MultiHeadAttention layer({.d_model = 24, .num_heads = 3});
    const at::Tensor input = at::randn({2, length, 24});
    const at::Tensor output = layer.forward(input, Pattern::full());
    EXPECT_EQ(output.sizes(), input.sizes());
    EXPECT_LT(distance(output, written_out(layer, input, 3)), 2e-6) << length;
  }
}

TEST(MultiHeadAttention, TheTraceHoldsWeightsAndChangesNothing) {
  at::manual_seed(3);
  const MultiHeadAttention layer({.d_model = 8, .num_heads = 2});
  const at::Tensor input = at::randn({2, 7, 8});
  AttentionTrace trace;
  const at::Tensor with = layer.forward(input, Pattern::full(), &trace);
  EXPECT_TRUE(at::equal(with, layer.forward(input, Pattern::full())));
  ASSERT_EQ(trace.weights.size(), 1U);
  EXPECT_EQ(trace.weights[0].sizes(), at::IntArrayRef({2, 2, 7, 7}));
  EXPECT_LT(distance(trace.weights[0].sum(-1), at::ones({2, 2, 7})), 1e-6);
}

TEST(MultiHeadAttention, TheSeedOfTorchDecidesTheDropout) {
  MultiHeadAttention layer({.d_model = 8, .num_heads = 2, .dropout = 0.5});
  const at::Tensor input = at::randn({1, 20, 8});
  const auto with_seed = [&](uint64_t seed) {
    at::manual_seed(seed);
    return layer.forward(input, Pattern::full());
  };
  layer.train();
  EXPECT_TRUE(at::equal(with_seed(1), with_seed(1)));
  EXPECT_FALSE(at::equal(with_seed(1), with_seed(2)));
  layer.eval();
  EXPECT_TRUE(at::equal(with_seed(1), with_seed(2)));
}

TEST(MultiHeadAttention, RefusesHeadsThatDoNotShareTheWidth) {
  EXPECT_THROW(MultiHeadAttention({.d_model = 10, .num_heads = 3}), UsageError);
}

TEST(InitialScoreParameter, IsWhatTheScoreSays) {
  const auto of = [](const std::string& score) {
    const MultiHeadAttention layer({.d_model = 8, .num_heads = 2, .attention = {.score = score}});
    return layer.named_parameters()["score_parameter"];
  };
  EXPECT_TRUE(at::equal(of("cosine"), at::full({2}, 10.0)));
  add_score_kind({.name = "by_one",
                  .kernel = "cosine",
                  .parameter = ScoreKind::Parameter::kPerHead,
                  .formula = score_products});
  EXPECT_TRUE(at::equal(of("by_one"), at::ones({2})));
  add_score_kind({.name = "by_three",
                  .kernel = "cosine",
                  .parameter = ScoreKind::Parameter::kPerHead,
                  .initial = 3,
                  .formula = score_products});
  EXPECT_TRUE(at::equal(of("by_three"), at::full({2}, 3.0)));
}

}  // namespace
}  // namespace heed::nn
