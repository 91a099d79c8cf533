#include "heed/text/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/text/pre_tokenizer.h"

namespace heed::text {
namespace {

Vocabulary vocabulary_from(const std::string& json) {
  return Vocabulary::read(parse_json(json, "tokenizer.json", {.max_bytes = 1 << 20}));
}

TEST(Vocabulary, FindsEveryTokenAndNoOther) {
  std::vector<std::string> tokens;
  for (int i = 0; i < 5000; ++i) tokens.push_back("word" + std::to_string(i));
  const Vocabulary vocabulary(tokens);
  ASSERT_EQ(vocabulary.size(), 5000);
  for (int i = 0; i < 5000; ++i) {
    EXPECT_EQ(vocabulary.id_of(tokens[static_cast<size_t>(i)]), i);
    EXPECT_EQ(vocabulary.token_of(i), tokens[static_cast<size_t>(i)]);
    EXPECT_EQ(vocabulary.id_of("other" + std::to_string(i)), kNoId);
  }
  EXPECT_EQ(Vocabulary().id_of("a"), kNoId);
  EXPECT_THROW(Vocabulary({"a", "b", "a"}), UsageError);
}

TEST(Vocabulary, JsonKeepsTheIds) {
  const Vocabulary vocabulary = vocabulary_from(R"({"b": 0, "a": 2, "": 1})");
  EXPECT_EQ(vocabulary.id_of("a"), 2);
  EXPECT_EQ(vocabulary.id_of(""), 1);
  EXPECT_EQ(vocabulary.to_json().dump(), R"({"b":0,"":1,"a":2})");
}

TEST(Vocabulary, RefusesIdsThatAreNotDenseAndUnique) {
  for (const char* json :
       {R"({"a": 0, "b": 2})", R"({"a": 0, "b": 0})", R"({"a": -1, "b": 0})", R"({"a": 1})",
        R"({"a": 0.0})", R"({"a": "0"})", R"({"a": null})", R"({"a": 4294967296})",
        R"({"a": 18446744073709551615})", R"(["a"])", "7", R"({"a": 0, "a": 1})"}) {
    EXPECT_THROW(vocabulary_from(json), DataError) << json;
  }
}

}  // namespace
}  // namespace heed::text
