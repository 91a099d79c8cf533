#include "heed/text/steps/subword_normalizers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "heed/base/error.h"
#include "heed/text/characters/base64.h"
#include "heed/text/steps/charsmap.h"
#include "heed/text/testing/sentencepiece_files.h"

namespace heed::text {
namespace {

using testing_files::charsmap_of;

std::string normalized(const NormalizerPointer& normalizer, std::string_view original) {
  AlignedText text(original, {0, static_cast<uint32_t>(original.size())},
                   AlignedText::Tracking::kOn);
  normalizer->apply(text);
  return std::string(text.text());
}

Span source(const NormalizerPointer& normalizer, std::string_view original, Span range) {
  AlignedText text(original, {0, static_cast<uint32_t>(original.size())},
                   AlignedText::Tracking::kOn);
  normalizer->apply(text);
  return text.source(range);
}

NormalizerPointer from(const char* json) {
  return read_normalizer(JsonValue(Json::parse(json), "tokenizer.json"));
}

std::string message_of(const Json& json) {
  try {
    read_normalizer(JsonValue(json, "tokenizer.json"));
  } catch (const DataError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Charsmap, FindsTheShortestOrTheLongest) {
  const Charsmap charsmap(charsmap_of({{"a", "1"}, {"abc", "three"}, {"é", ""}}));
  const auto find = [&](std::string_view text, Charsmap::Choice choice) {
    const auto match = charsmap.find(text, choice);
    return match ? std::string(match->replacement) + "/" + std::to_string(match->size) : "none";
  };
  EXPECT_EQ(find("abcd", Charsmap::Choice::kShortest), "1/1");
  EXPECT_EQ(find("abcd", Charsmap::Choice::kLongest), "three/3");
  EXPECT_EQ(find("abd", Charsmap::Choice::kLongest), "1/1");
  EXPECT_EQ(find("é", Charsmap::Choice::kLongest), "/2");
  EXPECT_EQ(find("b", Charsmap::Choice::kLongest), "none");
  EXPECT_EQ(find("", Charsmap::Choice::kLongest), "none");
  EXPECT_EQ(Charsmap("").find("a", Charsmap::Choice::kLongest).has_value(), false);
}

TEST(Charsmap, RefusesWhatIsCutOff) {
  const std::string whole = charsmap_of({{"a", "b"}});
  EXPECT_THROW(Charsmap(whole.substr(0, 3)), UsageError);
  EXPECT_THROW(Charsmap(whole.substr(0, 100)), UsageError);
  EXPECT_THROW(Charsmap(whole + "\xFF"), UsageError);
  // What points outside is as if it were not there.
  std::string damaged = whole;
  for (size_t i = 4; i < 4 * 768; ++i) damaged[i] = static_cast<char>(damaged[i] | 0x40);
  EXPECT_NO_THROW(Charsmap(damaged).find("abc", Charsmap::Choice::kLongest));
}

TEST(Precompiled, ReplacesClustersAndCharacters) {
  const NormalizerPointer normalizer =
      precompiled_normalizer(charsmap_of({{"ﬁ", "fi"}, {"\t", " "}, {"x", ""}, {"é", "E"}}));
  EXPECT_EQ(normalized(normalizer, "aﬁ\tb"), "afi b");
  EXPECT_EQ(normalized(normalizer, "axb"), "ab");
  // A short cluster goes as a whole, marks and all; of a long one each character.
  EXPECT_EQ(normalized(normalizer, "é\u0301"), "E");
  EXPECT_EQ(normalized(normalizer, "é\u0301\u0302\u0303"), "E\u0301\u0302\u0303");
  EXPECT_EQ(source(normalizer, "aﬁb", {1, 2}), (Span{1, 4}));
  EXPECT_EQ(source(normalizer, "aﬁb", {2, 3}), (Span{1, 4}));
  EXPECT_EQ(source(normalizer, "aﬁb", {3, 4}), (Span{4, 5}));
  EXPECT_EQ(normalized(precompiled_normalizer(""), "aﬁ"), "aﬁ");
}

TEST(Precompiled, JsonBothWays) {
  const std::string table = charsmap_of({{"a", "b"}});
  const Json json = {{"type", "Precompiled"}, {"precompiled_charsmap", to_base64(table)}};
  const NormalizerPointer read = read_normalizer(JsonValue(json, "tokenizer.json"));
  EXPECT_EQ(normalized(read, "banana"), "bbnbnb");
  EXPECT_EQ(Json::parse(read->to_json().dump()), json);
  EXPECT_THAT(
      message_of({{"type", "Precompiled"}, {"precompiled_charsmap", "a-b="}}),
      testing::AllOf(testing::HasSubstr("precompiled_charsmap"), testing::HasSubstr("base64")));
  EXPECT_THAT(message_of({{"type", "Precompiled"}, {"precompiled_charsmap", "AAA="}}),
              testing::HasSubstr("precompiled_charsmap"));
}

TEST(Prepend, StandsForTheFirstCharacter) {
  const NormalizerPointer normalizer = from(R"({"type": "Prepend", "prepend": "▁"})");
  EXPECT_EQ(normalized(normalizer, "éa"), "▁éa");
  EXPECT_EQ(normalized(normalizer, ""), "");
  EXPECT_EQ(source(normalizer, "éa", {0, 3}), (Span{0, 2}));
  EXPECT_EQ(source(normalizer, "éa", {5, 6}), (Span{2, 3}));
}

TEST(SubwordNormalizers, NmtAndByteLevel) {
  EXPECT_EQ(normalized(from(R"({"type": "Nmt"})"), "a\x01\tb\u200bc"), "a b c");
  EXPECT_EQ(normalized(from(R"({"type": "ByteLevel"})"), " é"), "ĠÃ©");
}

TEST(SentencePieceNormalizer, BlanksAndTheLongestMatch) {
  const std::string table = charsmap_of({{"a", "1"}, {"ab", "2"}, {"\t", " "}});
  const NormalizerPointer normalizer = sentence_piece_normalizer(table, {});
  EXPECT_EQ(normalized(normalizer, "  ab a \t c  "), "▁2▁1▁c");
  EXPECT_EQ(normalized(normalizer, " \t "), "");
  EXPECT_EQ(normalized(normalizer, "▁c"), "▁▁c");
  EXPECT_EQ(source(normalizer, "  ab a", {0, 3}), (Span{2, 4}));
  const NormalizerPointer plain =
      sentence_piece_normalizer("", {.add_dummy_prefix = false, .remove_extra_whitespaces = false});
  EXPECT_EQ(normalized(plain, " a  b "), "▁a▁▁b▁");
  const Json json = Json::parse(normalizer->to_json().dump());
  EXPECT_EQ(normalized(read_normalizer(JsonValue(json, "tokenizer.json")), " ab  c"), "▁2▁c");
}

}  // namespace
}  // namespace heed::text
