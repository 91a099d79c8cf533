#include "heed/models/language_model.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/models/testing/test_models.h"
#include "heed/ops/testing/optimizers.h"

namespace heed::models {
namespace {

LanguageModelOptions small_language_model(const nn::AttentionSettings& attention) {
  return {.vocab_size = 31, .transformer = small_transformer(attention)};
}

at::Tensor random_tokens(int64_t rows, int64_t length) {
  return at::randint(1, 31, {rows, length}, at::kLong);
}

// Every way to know positions, with patterns that count from where a query stands.
std::vector<nn::AttentionSettings> settings() {
  std::vector<nn::AttentionSettings> all;
  for (const char* positions : {"none", "sinusoidal", "learned", "rotary", "alibi", "relative"}) {
    for (const char* pattern : {"full", "window:4:0", "dilated:2:0:3|global:2"}) {
      all.push_back({.pattern = pattern, .positions = positions, .max_relative_positions = 5});
      all.push_back({.score = "cosine",
                     .pattern = pattern,
                     .positions = positions,
                     .softcap = 3,
                     .num_key_value_heads = 2,
                     .max_relative_positions = 3});
    }
  }
  return all;
}

std::string name_of(const nn::AttentionSettings& s) {
  return text_of(s.score, ' ', s.pattern, ' ', s.positions, ' ', s.num_key_value_heads);
}

// In double, where the same numbers must come out but for the order of sums.
TEST(LanguageModelCache, DecodingByTokenGivesTheLogitsOfAllAtOnce) {
  for (const auto& attention : settings()) {
    at::manual_seed(4);
    LanguageModel model(small_language_model(attention));
    spread_parameters(model);
    model.to(at::kDouble);
    const at::Tensor ids = random_tokens(2, 19);
    const at::Tensor whole = model.forward(ids);
    nn::DecoderCache cache;
    std::vector<at::Tensor> pieces;
    int64_t begin = 0;
    for (const int64_t count : {7, 1, 1, 3, 1, 1, 5}) {
      pieces.push_back(model.forward({.ids = ids.slice(1, begin, begin + count)}, cache));
      begin += count;
    }
    EXPECT_EQ(cache.length, 19);
    EXPECT_LT(distance(at::cat(pieces, 1), whole), 1e-12) << name_of(attention);
  }
}

// float32, where another kernel takes few queries: the logits are about 1 in size.
TEST(LanguageModelCache, IsAsExactAsTheKernels) {
  for (const char* positions : {"learned", "rotary", "alibi"}) {
    at::manual_seed(4);
    LanguageModelOptions options =
        small_language_model({.positions = positions, .num_key_value_heads = 2});
    LanguageModel model(options);
    spread_parameters(model);
    const at::Tensor ids = random_tokens(2, 40);
    const at::Tensor whole = model.forward(ids);
    nn::DecoderCache cache;
    double worst = 0;
    for (int64_t n = 0; n < 40; ++n) {
      const at::Tensor logits = model.next({.ids = ids.slice(1, n, n + 1)}, cache);
      worst = std::max(worst, distance(logits, whole.select(1, n)));
    }
    RecordProperty(positions, text_of(worst));
    EXPECT_LT(worst, 8 * 1.2e-7 * whole.abs().max().item<double>()) << positions;
  }
}

TEST(LanguageModelCache, RowsOfDifferentLengthsAreAsIfAlone) {
  const std::vector<int64_t> prompts = {3, 8, 5};
  for (const auto& attention : settings()) {
    at::manual_seed(4);
    LanguageModel model(small_language_model(attention));
    spread_parameters(model);
    model.to(at::kDouble);
    const at::Tensor ids = random_tokens(3, 14);
    nn::DecoderCache cache;
    const at::Tensor first =
        model.next({.ids = ids.slice(1, 0, 8), .lengths = at::tensor(prompts, at::kLong)}, cache);
    std::vector<at::Tensor> steps = {first};
    for (int64_t step = 0; step < 4; ++step) {
      std::vector<at::Tensor> next;
      for (int64_t b = 0; b < 3; ++b)
        next.push_back(ids[b].slice(0, prompts[b] + step, prompts[b] + step + 1));
      steps.push_back(model.next({.ids = at::stack(next)}, cache));
    }
    // Two more tokens at once, of the last row only one.
    std::vector<at::Tensor> two;
    for (int64_t b = 0; b < 3; ++b) two.push_back(ids[b].slice(0, prompts[b] + 4, prompts[b] + 6));
    steps.push_back(
        model.next({.ids = at::stack(two), .lengths = at::tensor({2, 2, 1}, at::kLong)}, cache));
    EXPECT_TRUE(at::equal(cache.lengths, at::tensor({9, 14, 10}, at::kLong)));
    for (int64_t b = 0; b < 3; ++b) {
      const at::Tensor alone = model.forward(ids.slice(0, b, b + 1))[0];
      for (int64_t step = 0; step < 6; ++step) {
        const int64_t last = step < 5 ? prompts[b] + step - 1 : prompts[b] + (b == 2 ? 4 : 5);
        EXPECT_LT(distance(steps[step][b], alone[last]), 1e-12)
            << name_of(attention) << " row " << b << " step " << step;
      }
    }
  }
}

TEST(LanguageModelCache, GoesOnWithTheChosenRows) {
  at::manual_seed(4);
  LanguageModel model(small_language_model({.positions = "rotary"}));
  const at::Tensor ids = random_tokens(3, 9);
  nn::DecoderCache cache;
  model.next({.ids = ids}, cache);
  const at::Tensor rows = at::tensor({2, 0, 0, 2}, at::kLong);
  cache.select(rows);
  const at::Tensor more = random_tokens(4, 1);
  const at::Tensor whole = model.forward(at::cat({ids.index_select(0, rows), more}, 1));
  EXPECT_LT(distance(model.next({.ids = more}, cache), whole.select(1, 9)), 2e-6);
  cache.clear();
  EXPECT_LT(distance(model.next({.ids = ids}, cache), model.forward(ids).select(1, 8)), 2e-6);
}

TEST(LanguageModel, PaddingBehindARowChangesNothing) {
  at::manual_seed(4);
  LanguageModel model(small_language_model({.positions = "learned"}));
  const at::Tensor ids = random_tokens(2, 9);
  const at::Tensor lengths = at::tensor({6, 9}, at::kLong);
  const at::Tensor padded = model.forward(TextBatch{.ids = ids, .lengths = lengths});
  const at::Tensor alone = model.forward(ids.slice(0, 0, 1).slice(1, 0, 6));
  EXPECT_LT(distance(padded[0].slice(0, 0, 6), alone[0]), 2e-6);
}

TEST(LanguageModel, TheTraceHoldsWeightsAndChangesNothing) {
  at::manual_seed(4);
  const LanguageModel model(small_language_model({.score = "additive", .positions = "relative"}));
  const at::Tensor ids = random_tokens(2, 9);
  nn::AttentionTrace trace;
  const at::Tensor with = model.forward(TextBatch{.ids = ids}, &trace);
  EXPECT_TRUE(at::equal(with, model.forward(ids)));
  ASSERT_EQ(trace.weights.size(), 2U);
  EXPECT_EQ(trace.weights[1].sizes(), at::IntArrayRef({2, 4, 9, 9}));
  EXPECT_TRUE(trace.cross_weights.empty());
  EXPECT_EQ(trace.weights[0].triu(1).abs().max().item<double>(), 0);
}

// A sequence that repeats itself is learned in a few steps with every score and pattern.
TEST(LanguageModel, LearnsWithEveryScoreAndPattern) {
  for (const char* score : {"dot", "scaled_dot", "cosine", "additive"}) {
    for (const char* pattern : {"full", "window:6:0", "dilated:3:0:2", "window:3:0|global:2"}) {
      at::manual_seed(4);
      LanguageModel model(
          small_language_model({.score = score, .pattern = pattern, .positions = "rotary"}));
      const at::Tensor ids = random_tokens(4, 5).repeat({1, 3});
      torch::optim::Adam adam(model.parameters(), torch::optim::AdamOptions(3e-3));
      const auto loss_of = [&] {
        const at::Tensor logits = model.forward(ids.slice(1, 0, 14));
        return at::cross_entropy_loss(logits.flatten(0, 1), ids.slice(1, 1).flatten());
      };
      const double before = loss_of().item<double>();
      for (int step = 0; step < 25; ++step) {
        adam.zero_grad();
        loss_of().backward();
        adam.step();
      }
      EXPECT_LT(loss_of().item<double>(), before / 2) << score << ' ' << pattern;
      for (const auto& item : model.named_parameters()) {
        EXPECT_TRUE(item.value().grad().defined()) << item.key();
      }
    }
  }
}

TEST(LanguageModel, HasTheParametersOfItsKind) {
  LanguageModelOptions options =
      small_language_model({.positions = "rotary", .num_key_value_heads = 2});
  options.tie_word_embeddings = false;
  options.transformer.bias = false;
  options.transformer.norm = "rms";
  options.transformer.activation = "swiglu";
  const LanguageModel model(options);
  int64_t count = 0;
  for (const auto& parameter : model.parameters()) count += parameter.numel();
  const int64_t layer = (32 + 2 * 16) * 32 + 32 * 32 + 3 * 48 * 32 + 2 * 32;
  EXPECT_EQ(count, 2 * 31 * 32 + 2 * layer + 32);

  const LanguageModel gpt2([] {
    LanguageModelOptions o = gpt2_options();
    o.transformer.num_layers = 1;
    return o;
  }());
  count = 0;
  for (const auto& parameter : gpt2.parameters()) count += parameter.numel();
  // 124,439,808 with twelve layers of 7,087,872.
  EXPECT_EQ(count + 11 * 7'087'872, 124'439'808);
  EXPECT_NO_THROW(check(llama_options()));
}

TEST(LanguageModel, SaysWhichOptionCannotBeUsed) {
  const auto message = [](const LanguageModelOptions& options) -> std::string {
    try {
      check(options);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message(small_language_model({.num_key_value_heads = 3})),
            "num_key_value_heads: expected a divisor of the 4 heads, got 3");
  EXPECT_EQ(message({.vocab_size = 0}),
            "vocab_size: expected an integer from 1 to 16777216, got 0");
  LanguageModelOptions options = small_language_model({});
  options.transformer.activation = "swish";
  EXPECT_THAT(message(options), testing::HasSubstr("swiglu, got 'swish'"));
}

}  // namespace
}  // namespace heed::models
