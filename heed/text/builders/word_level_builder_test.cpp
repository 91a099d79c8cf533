#include "heed/text/builders/word_level_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "heed/base/error.h"

namespace heed::text {
namespace {

std::vector<std::string> tokens_of(const Tokenizer& tokenizer) {
  std::vector<std::string> tokens;
  for (int32_t id = 0; id < tokenizer.size(); ++id) tokens.push_back(tokenizer.token_of(id));
  return tokens;
}

TEST(WordLevelBuilder, MostFrequentFirstAndTiesByBytes) {
  const std::vector<std::string> texts = {"b a B", "é a!", "z b"};
  EXPECT_THAT(tokens_of(build_word_level(texts)),
              testing::ElementsAre("[PAD]", "[UNK]", "b", "a", "!", "z", "é"));
}

TEST(WordLevelBuilder, StopsAtTheSizeAndAtTheFrequency) {
  const std::vector<std::string> texts = {"a a a b b c"};
  EXPECT_THAT(tokens_of(build_word_level(texts, {.vocab_size = 4})),
              testing::ElementsAre("[PAD]", "[UNK]", "a", "b"));
  EXPECT_THAT(tokens_of(build_word_level(texts, {.min_frequency = 3})),
              testing::ElementsAre("[PAD]", "[UNK]", "a"));
}

TEST(WordLevelBuilder, CountsWhatTheTokenizerWillSee) {
  WordLevelBuilder builder({.normalizers = {"NFD", "StripAccents"},
                            .pre_tokenizers = {"WhitespaceSplit", "Punctuation"}});
  builder.add("Été. [UNK]Ete [PAD]");
  const Tokenizer tokenizer = builder.build();
  // Special tokens in a text are text.
  EXPECT_THAT(tokens_of(tokenizer),
              testing::ElementsAre("[PAD]", "[UNK]", "Ete", "[", "]", ".", "PAD", "UNK"));
  EXPECT_THAT(tokenizer.encode_ids("Été! [PAD]"), testing::ElementsAre(2, 1, 3, 6, 4));
  EXPECT_EQ(Tokenizer::from_json(tokenizer.to_json()).to_json(), tokenizer.to_json());
}

TEST(WordLevelBuilder, AWordSpeltLikeASpecialTokenIsUnknown) {
  const std::vector<std::string> texts = {"pad pad x"};
  const Tokenizer tokenizer = build_word_level(
      texts, {.special_tokens = {"PAD", "unk"}, .unknown_token = "unk", .normalizers = {}});
  EXPECT_THAT(tokens_of(tokenizer), testing::ElementsAre("PAD", "unk", "pad", "x"));
  const Tokenizer lower =
      build_word_level(texts, {.special_tokens = {"PAD", "pad"}, .unknown_token = "PAD"});
  EXPECT_THAT(tokens_of(lower), testing::ElementsAre("PAD", "pad", "x"));
  EXPECT_THAT(lower.encode_ids("pad x"), testing::ElementsAre(0, 2));
}

TEST(WordLevelBuilder, Characters) {
  const std::vector<std::string> texts = {"Aé\n a"};
  const Tokenizer tokenizer = build_word_level(texts, character_options());
  EXPECT_THAT(tokens_of(tokenizer),
              testing::ElementsAre("[PAD]", "[UNK]", "\n", " ", "A", "a", "é"));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode_ids("é A\n")), "é A\n");
}

TEST(WordLevelBuilder, NoTextsGiveOnlyTheSpecialTokens) {
  EXPECT_THAT(tokens_of(build_word_level({})), testing::ElementsAre("[PAD]", "[UNK]"));
}

TEST(WordLevelBuilder, RefusesOptionsThatCannotBeUsed) {
  EXPECT_THROW(WordLevelBuilder({.vocab_size = 2}), UsageError);
  EXPECT_THROW(WordLevelBuilder({.vocab_size = -5}), UsageError);
  EXPECT_THROW(WordLevelBuilder({.min_frequency = 0}), UsageError);
  EXPECT_THROW(WordLevelBuilder({.special_tokens = {"[PAD]"}}), UsageError);
  EXPECT_THROW(WordLevelBuilder({.special_tokens = {"[UNK]", "[UNK]"}}), UsageError);
  EXPECT_THROW(WordLevelBuilder({.special_tokens = {"[UNK]", ""}}), UsageError);
  EXPECT_THROW(WordLevelBuilder({.normalizers = {"nfc"}}), UsageError);
  EXPECT_THROW(WordLevelBuilder({.pre_tokenizers = {"Spaces"}}), UsageError);
  WordLevelBuilder builder;
  EXPECT_THROW(builder.add("\xff"), DataError);
}

}  // namespace
}  // namespace heed::text
