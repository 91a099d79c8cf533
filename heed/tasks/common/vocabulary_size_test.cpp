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

}  // namespace
}  // namespace heed::tasks
