// Weights and their statistics against the whole matrix in double.
#include "heed/ops/weights.h"

#include "heed/base/error.h"
#include "heed/ops/test_cases.h"

namespace heed::conformance {
namespace {

// Of float32 sums of Nk weights, each at most 1.
constexpr double kBound = 1e-5;

Case weights_case(const ScoreCase& score, const PatternCase& pattern) {
  at::manual_seed(6);
  Case one{.score = &score, .pattern_name = pattern.name, .modifier = modifiers().back()};
  one.sizes = {.key_heads = 2, .queries = 37, .keys = 83};
  one.pattern = pattern.make(one.sizes);
  return one;
}

struct Both {
  AttendedTokens fused;  // float32
  AttendedTokens truth;  // float64
  at::Tensor matrix;     // the weights in double
};

AttendedTokens attended(const Case& one, const Inputs& in) {
  const auto options = options_of(one, in);
  return {.query = in.query,
          .key = in.key,
          .options = options,
          .result = attention(in.query, in.key, in.value, options)};
}

Both both_of(const Case& one) {
  const auto in = random_inputs(one);
  Both both{.fused = attended(one, leaves(in, at::kFloat)),
            .truth = attended(one, leaves(in, at::kDouble))};
  both.matrix = attention_weights(both.truth.query, both.truth.key, both.truth.options);
  return both;
}

TEST(WeightStatistics, EqualTheMatrix) {
  for (const auto& score : scores()) {
    for (const auto& pattern : patterns()) {
      const Case one = weights_case(score, pattern);
      SCOPED_TRACE(one.text());
      const Both both = both_of(one);
      const auto& fused = both.fused;
      const auto close = [](const at::Tensor& a, const at::Tensor& b) {
        return error_of(a.to(at::kDouble), b);
      };
      EXPECT_LE(close(attention_weights(fused.query, fused.key, fused.options), both.matrix),
                kBound);
      EXPECT_LE(
          close(attention_weights(fused.query, fused.key, fused.options,
                                  {.heads = {3, 1}, .queries = {36, 0, 5}}, fused.result),
                both.matrix.index_select(1, longs({3, 1})).index_select(2, longs({36, 0, 5}))),
          kBound);
      EXPECT_LE(close(column_weights(fused), both.matrix.sum(2)), kBound);
      EXPECT_LE(close(row_entropies(fused), row_entropies(both.truth)), kBound);
      EXPECT_LE(close(block_weights(fused, {.queries = 16, .keys = 20}),
                      block_weights(both.truth, {.queries = 16, .keys = 20})),
                kBound);
      const auto top = top_weights(fused, 5);
      const auto right = top_weights(both.truth, 5);
      EXPECT_LE(close(top.values, right.values), kBound);
      // Keys may change places only where their weights are as good as equal.
      const auto swapped = (top.keys != right.keys) & (right.values > kBound);
      const auto found = both.matrix.gather(3, top.keys.clamp_min(0));
      EXPECT_LE(largest((found - right.values).masked_select(swapped)), kBound);
    }
  }
}

TEST(WeightStatistics, AreThemselvesRight) {
  const auto uniform = at::zeros({1, 1, 4, 8}, at::kDouble);
  const auto options = AttentionOptions{.pattern = Pattern::causal()};
  const AttendedTokens tokens{.query = uniform,
                              .key = uniform,
                              .options = options,
                              .result = attention(uniform, uniform, uniform, options)};
  const auto column = column_weights(tokens).flatten();
  EXPECT_NEAR(column[0].item<double>(), 1 + 1 / 2.0 + 1 / 3.0 + 1 / 4.0, 1e-12);
  EXPECT_NEAR(row_entropies(tokens).flatten()[2].item<double>(), std::log(3.0), 1e-12);
  EXPECT_TRUE(at::equal(top_weights(tokens, 3).keys[0][0][1], longs({0, 1, -1})));
  const auto blocks = block_weights(tokens, {.queries = 3, .keys = 2});
  EXPECT_EQ(blocks.sizes(), (std::vector<int64_t>{1, 1, 2, 2}));
  EXPECT_NEAR(blocks.flatten()[0].item<double>(), (1 + 0.5 * 2 + 2 / 3.0) / 6, 1e-12);
}

TEST(WeightStatistics, MistakesAreNamed) {
  const auto x = at::zeros({1, 2, 4, 8});
  EXPECT_THROW(attention_weights(x, x, {}, {.heads = {2}}), UsageError);
  EXPECT_THROW(attention_weights(x, x, {}, {.queries = {-1}}), UsageError);
  const AttendedTokens tokens{.query = x, .key = x, .result = attention(x, x, x)};
  EXPECT_THROW(top_weights(tokens, 0), UsageError);
  EXPECT_THROW(block_weights(tokens, {.queries = 0, .keys = 1}), UsageError);
  AttendedTokens other = tokens;
  other.result = attention(x.slice(2, 0, 3), x, x);
  EXPECT_THROW(column_weights(other), UsageError);
}

}  // namespace
}  // namespace heed::conformance
