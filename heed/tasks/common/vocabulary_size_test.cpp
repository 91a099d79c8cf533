#include "heed/tasks/common/vocabulary_size.h"

#include <gmock/gmock.h>

#include "heed/base/error.h"

namespace heed::tasks {
namespace {

TEST(VocabularySize, IsTheNumberBehindThePrefix) {
  const VocabularySizeRule rule{.prefix = "bpe:", .least = 5, .expected = "above 4"};
  EXPECT_EQ(vocabulary_size("bpe:5", rule), 5);
  for (const std::string kind : {"bpe:4", "bpe:", "bpe:x", "bpe:7x", "bpe: 7", "bpe:99999999999"}) {
    EXPECT_THAT([&] { vocabulary_size(kind, rule); },
                testing::ThrowsMessage<UsageError>(
                    "tokenizer: expected bpe:N with N above 4, got '" + kind + "'"));
  }
}

TEST(VocabularySize, TheErrorNamesTheField) {
  EXPECT_THAT(
      [] {
        vocabulary_size(
            "bpe:x",
            {.prefix = "bpe:", .least = 5, .expected = "above 4", .field = "target_tokenizer"});
      },
      testing::ThrowsMessage<UsageError>(testing::StartsWith("target_tokenizer: expected bpe:N")));
}

TEST(TokenizerFile, WhatIsNoneIsRefusedWithTheChoices) {
  const TokenizerFileRule rule{.learnt = "characters, bpe:N"};
  EXPECT_THAT([&] { tokenizer_file("wordz", rule); },
              testing::ThrowsMessage<UsageError>(
                  "tokenizer: expected characters, bpe:N or the path of a tokenizer.json, got "
                  "\"wordz\""));
  for (const char* file : {"no/such/file", "none.json"}) {
    EXPECT_THAT([&] { tokenizer_file(file, rule); },
                testing::ThrowsMessage<MissingInputError>(
                    testing::AllOf(testing::HasSubstr("tokenizer: expected characters"),
                                   testing::HasSubstr("which is not there"))));
  }
}

}  // namespace
}  // namespace heed::tasks
