// Weights and their statistics against the whole matrix in double, by the rule of test_cases.h.
// One thing is added to the floor: a weight is made from a score and the log-sum-exp, so a unit in
// the last place of these is a relative error of the weight.
#include "heed/ops/attention_weights.h"

#include "heed/base/error.h"
#include "heed/ops/testing/test_cases.h"
#include "heed/ops/weight_summary.h"

namespace heed::conformance {
namespace {

Case weights_case(const ScoreCase& score, const PatternCase& pattern) {
  at::manual_seed(6);
  Case one{.score = &score, .pattern_name = pattern.name, .modifier = modifiers().back()};
  one.sizes = {.key_heads = 2, .queries = 37, .keys = 83};
  one.pattern = pattern.make(one.sizes);
  return one;
}

AttendedTokens attended(const Case& one, const Inputs& in) {
  const auto options = options_of(one, in);
  return {.query = in.query,
          .key = in.key,
          .options = options,
          .result = attention(in.query, in.key, in.value, options)};
}

// The whole matrix of weights by tensor operations, in the dtype of the tokens.
at::Tensor matrix_of(const Case& one, const AttendedTokens& tokens) {
  const at::NoGradGuard no_grad;
  const AttentionSizes sizes{.batch = one.sizes.batch,
                             .heads = one.sizes.heads,
                             .key_heads = one.sizes.key_heads,
                             .queries = one.sizes.queries,
                             .keys = one.sizes.keys,
                             .size = one.sizes.size,
                             .value_size = one.sizes.value_size};
  return math_weights(tokens.query, tokens.key, tokens.options, sizes, tokens.query.scalar_type())
      .weights;
}

using Statistic = std::function<at::Tensor(const at::Tensor& matrix)>;

struct Matrices {
  at::Tensor plain;   // by plain torch in float32
  at::Tensor truth;   // in double
  double scores = 0;  // the largest log-sum-exp
};

void expect_weights(const at::Tensor& found, const Matrices& matrices, const Statistic& statistic,
                    const char* name) {
  const auto right = statistic(matrices.truth);
  const double plain_error = error_of(statistic(matrices.plain).to(at::kDouble), right);
  const double floor = (kFloorUlps + matrices.scores) * ulp(at::kFloat) * largest(right);
  EXPECT_LE(error_of(found.to(at::kDouble), right), 2 * plain_error + floor)
      << name << ": plain torch is wrong by " << plain_error;
}

at::Tensor block_means(const at::Tensor& matrix, int64_t queries, int64_t keys) {
  std::vector<at::Tensor> rows;
  for (const auto& row : matrix.split(queries, 2)) {
    std::vector<at::Tensor> blocks;
    for (const auto& block : row.split(keys, 3)) blocks.push_back(block.mean({2, 3}));
    rows.push_back(at::stack(blocks, -1));
  }
  return at::stack(rows, 2);
}

TEST(WeightStatistics, EqualTheMatrix) {
  for (const auto& score : scores()) {
    for (const auto& pattern : patterns()) {
      const Case one = weights_case(score, pattern);
      SCOPED_TRACE(one.text());
      const auto in = random_inputs(one);
      const auto fused = attended(one, leaves(in, at::kFloat));
      const Matrices matrices{.plain = matrix_of(one, fused),
                              .truth = matrix_of(one, attended(one, leaves(in, at::kDouble))),
                              .scores = largest(fused.result.log_sum_exp.detach().to(at::kDouble))};
      const auto expect = [&](const at::Tensor& found, const Statistic& statistic,
                              const char* name) {
        expect_weights(found, matrices, statistic, name);
      };
      expect(
          attention_weights(fused.query, fused.key, fused.options),
          [](const at::Tensor& m) { return m; }, "all weights");
      expect(
          attention_weights(fused.query, fused.key, fused.options,
                            {.heads = {3, 1}, .queries = {36, 0, 5}}, fused.result),
          [](const at::Tensor& m) {
            return m.index_select(1, longs({3, 1})).index_select(2, longs({36, 0, 5}));
          },
          "chosen weights");
      expect(
          column_weights(fused), [](const at::Tensor& m) { return m.sum(2); }, "columns");
      expect(
          row_entropies(fused), [](const at::Tensor& m) { return -at::xlogy(m, m).sum(-1); },
          "entropies");
      expect(
          block_weights(fused, {.queries = 16, .keys = 20}),
          [](const at::Tensor& m) { return block_means(m, 16, 20); }, "blocks");
      const auto top = top_weights(fused, 5);
      expect(
          top.values, [](const at::Tensor& m) { return std::get<0>(m.topk(5)); }, "top");
      // The keys named have these weights; keys of equal weight may change places.
      expect(
          top.values,
          [&](const at::Tensor& m) {
            return m.gather(3, top.keys.clamp_min(0)).masked_fill(top.keys < 0, 0);
          },
          "keys of the top");
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

// By the kernels, and from the whole matrix where they do not take the call.
TEST(WeightStatistics, AreTheSameAllAtOnce) {
  for (const auto type : {at::kFloat, at::kDouble}) {
    Case one = weights_case(score_named("dot"), patterns()[0]);
    one.type = type;
    const AttendedTokens tokens = attended(one, random_inputs(one));
    const WeightSummary all =
        weight_summary(tokens, {.count = 3, .block = {10, 13}, .with_mean = true});
    const TopWeights top = top_weights(tokens, 3);
    EXPECT_TRUE(at::equal(all.top.values, top.values));
    EXPECT_TRUE(at::equal(all.top.keys, top.keys));
    EXPECT_TRUE(at::equal(all.blocks, block_weights(tokens, {10, 13})));
    EXPECT_TRUE(at::equal(all.entropies, row_entropies(tokens)));
    const auto mean = attention_weights(tokens.query, tokens.key, tokens.options).mean(1);
    EXPECT_LE((all.mean - mean).abs().max().item<double>(), 1e-6);
    EXPECT_FALSE(weight_summary(tokens, {}).mean.defined());
  }
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
