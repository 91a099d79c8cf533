#include "heed/inference/generate.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "heed/base/error.h"
#include "heed/inference/testing/test_decoder.h"

namespace heed::inference {
namespace {

constexpr int64_t kTokens = 11;

// Token by token, without a memory of the rows.
std::vector<int64_t> expected_greedy(const TableDecoder& decoder, std::vector<int64_t> ids,
                                     int64_t count) {
  const size_t prompt = ids.size();
  for (int64_t i = 0; i < count; ++i) {
    ids.push_back(decoder.logits_after(ids).argmax().item<int64_t>());
  }
  return {ids.begin() + static_cast<int64_t>(prompt), ids.end()};
}

TEST(Generate, GreedyFollowsTheMostLikely) {
  TableDecoder decoder(kTokens, 1);
  const auto made =
      generate(decoder, {3, 4}, {.sampling = {.temperature = 0}, .max_new_tokens = 20});
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].ids, expected_greedy(decoder, {3, 4}, 20));
  EXPECT_EQ(made[0].finish, FinishReason::kLength);
}

TEST(Generate, ASampleDoesNotDependOnTheOthers) {
  TableDecoder decoder(kTokens, 2);
  GenerateOptions options{.sampling = {.seed = 5},
                          .max_new_tokens = 30,
                          .num_return_sequences = 4,
                          .eos_token_ids = {7}};
  const auto four = generate(decoder, {1}, options);
  options.num_return_sequences = 2;
  const auto two = generate(decoder, {1}, options);
  EXPECT_EQ(four[0].ids, two[0].ids);
  EXPECT_EQ(four[1].ids, two[1].ids);
  EXPECT_NE(four[0].ids, four[1].ids);
}

TEST(Generate, EndTokensEndASampleAndFreeItsRow) {
  TableDecoder decoder(kTokens, 3);
  const auto made = generate(
      decoder, {1}, {.max_new_tokens = 200, .num_return_sequences = 5, .eos_token_ids = {7, 8}});
  for (const Generated& sample : made) {
    EXPECT_EQ(sample.finish, FinishReason::kEndToken);
    EXPECT_EQ(std::count(sample.ids.begin(), sample.ids.end(), 7), 0);
  }
  EXPECT_TRUE(std::is_sorted(decoder.steps.begin() + 1, decoder.steps.end(), std::greater<>()));
  EXPECT_EQ(decoder.steps.back(), 1);
}

TEST(Generate, EndTokensMayNotComeTooEarly) {
  TableDecoder decoder(kTokens, 1);
  std::vector<int64_t> every;
  for (int64_t id = 0; id + 1 < kTokens; ++id) every.push_back(id);
  const auto found =
      generate(decoder, {1, 2}, {.max_new_tokens = 5, .min_new_tokens = 3, .eos_token_ids = every});
  // All that may come first is the one token that ends nothing.
  const std::vector<int64_t> expected(3, kTokens - 1);
  EXPECT_EQ(std::vector<int64_t>(found[0].ids.begin(), found[0].ids.begin() + 3), expected);
}

TEST(Generate, TheCallerSeesEveryTokenAndMayStop) {
  TableDecoder decoder(kTokens, 4);
  std::vector<std::vector<int64_t>> seen(2);
  const auto made = generate(decoder, {1}, {.max_new_tokens = 9, .num_return_sequences = 2},
                             [&](int64_t sample, int64_t id) {
                               auto& ids = seen[static_cast<size_t>(sample)];
                               ids.push_back(id);
                               return sample == 0 || ids.size() < 4;
                             });
  EXPECT_EQ(made[0].ids, seen[0]);
  EXPECT_EQ(made[1].ids, seen[1]);
  EXPECT_EQ(made[0].ids.size(), 9U);
  EXPECT_EQ(made[1].ids.size(), 4U);
  EXPECT_EQ(made[1].finish, FinishReason::kStopped);
}

TEST(Generate, TheContextSlidesByHalf) {
  TableDecoder decoder(kTokens, 1, /*capacity=*/6);
  const auto made =
      generate(decoder, {3, 4}, {.sampling = {.temperature = 0}, .max_new_tokens = 20});
  EXPECT_EQ(made[0].ids, expected_greedy(decoder, {3, 4}, 20)) << "two tokens are context enough";
}

TEST(Generate, APromptBeyondTheCapacityIsReadFromItsEnd) {
  TableDecoder decoder(kTokens, 1, /*capacity=*/4);
  const std::vector<int64_t> prompt = {1, 2, 3, 4, 5, 6};
  const auto made =
      generate(decoder, prompt, {.sampling = {.temperature = 0}, .max_new_tokens = 5});
  EXPECT_EQ(made[0].ids, expected_greedy(decoder, prompt, 5));
}

TEST(Generate, CancelledLeavesWhatIsThere) {
  TableDecoder decoder(kTokens, 1);
  int asked = 0;
  const auto made =
      generate(decoder, {1}, {.max_new_tokens = 50, .cancelled = [&] { return ++asked > 5; }});
  EXPECT_EQ(made[0].ids.size(), 5U);
  EXPECT_EQ(made[0].finish, FinishReason::kCancelled);
}

TEST(Generate, NothingNewIsLegal) {
  TableDecoder decoder(kTokens, 1);
  EXPECT_TRUE(generate(decoder, {1}, {.max_new_tokens = 0})[0].ids.empty());
}

TEST(Generate, RefusesAnEmptyPrompt) {
  TableDecoder decoder(kTokens, 1);
  EXPECT_THROW(generate(decoder, {}, {}), UsageError);
  EXPECT_THROW(generate(decoder, {1}, {.num_return_sequences = 0}), UsageError);
}

}  // namespace
}  // namespace heed::inference
