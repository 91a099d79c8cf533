#include "heed/inference/logits_decoder.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/inference/beam_search.h"
#include "heed/inference/generate.h"
#include "heed/inference/testing/test_decoder.h"

namespace heed::inference {
namespace {

constexpr int64_t kWords = 6;

std::vector<int64_t> tokens_of(const at::Tensor& row) {
  return {row.const_data_ptr<int64_t>(), row.const_data_ptr<int64_t>() + row.size(0)};
}

// (R, n, V) of a table, all tokens at once.
LogitsDecoder::Logits logits_of(const TableDecoder& table) {
  return [&table](const at::Tensor& ids) {
    at::Tensor logits = at::zeros({ids.size(0), ids.size(1), kWords});
    for (int64_t r = 0; r < ids.size(0); ++r) {
      for (int64_t i = 0; i < ids.size(1); ++i) {
        logits[r][i] = table.logits_after(tokens_of(ids[r].slice(0, 0, i + 1).contiguous()));
      }
    }
    return logits;
  };
}

TEST(LogitsDecoder, GeneratesWhatADecoderWithAMemoryDoes) {
  TableDecoder table(kWords, 7);
  LogitsDecoder decoder(logits_of(table));
  GenerateOptions options;
  options.sampling.temperature = 0.7;
  options.num_return_sequences = 3;
  options.eos_token_ids = {5};
  const auto expected = generate(table, {1, 2}, options);
  const auto found = generate(decoder, {1, 2}, options);
  ASSERT_EQ(found.size(), 3U);
  for (size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].ids, expected[i].ids);
}

// Rows are taken several times and left out.
TEST(LogitsDecoder, SearchesAsADecoderWithAMemoryDoes) {
  TableDecoder table(kWords, 7);
  LogitsDecoder decoder(logits_of(table));
  const at::Tensor start = at::tensor({1, 2, 3, 4}, at::kLong).view({2, 2});
  BeamSearchOptions options;
  options.eos_token_ids = {5};
  const auto expected = beam_search(table, start, options);
  const auto found = beam_search(decoder, start, options);
  ASSERT_EQ(found.size(), 2U);
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i][0].ids, expected[i][0].ids);
    EXPECT_EQ(found[i][0].score, expected[i][0].score);
  }
}

TEST(LogitsDecoder, TakesTheLogitsOfTheLastTokenAlone) {
  LogitsDecoder decoder([](const at::Tensor& ids) {
    EXPECT_FALSE(at::GradMode::is_enabled());
    return at::one_hot(ids.select(1, -1), kWords).to(at::kBFloat16);
  });
  const at::Tensor logits = decoder.step(at::tensor({4, 1}, at::kLong).view({1, 2}));
  EXPECT_EQ(logits.scalar_type(), at::kFloat);
  EXPECT_EQ(logits.argmax().item<int64_t>(), 1);
  decoder.reset();
  EXPECT_EQ(decoder.step(at::tensor({3, 2}, at::kLong).view({2, 1})).size(0), 2);
}

TEST(LogitsDecoder, SaysWhatDoesNotFit) {
  const at::Tensor ids = at::zeros({2, 3}, at::kLong);
  const auto gives = [](at::IntArrayRef sizes) {
    return LogitsDecoder([sizes = sizes.vec()](const at::Tensor&) { return at::zeros(sizes); });
  };
  EXPECT_THROW(gives({2, 2, 5}).step(ids), UsageError);
  EXPECT_THROW(gives({3, 5}).step(ids), UsageError);
  EXPECT_THROW(gives({5}).step(ids), UsageError);
  EXPECT_NO_THROW(gives({2, 3, 5}).step(ids));
  EXPECT_THROW(LogitsDecoder(nullptr), UsageError);
  EXPECT_THROW(LogitsDecoder([](const at::Tensor& each) { return each; }, -1), UsageError);
}

}  // namespace
}  // namespace heed::inference
