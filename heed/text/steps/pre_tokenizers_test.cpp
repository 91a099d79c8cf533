#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "heed/base/error.h"
#include "heed/text/pre_tokenizer.h"

namespace heed::text {
namespace {

using testing::ElementsAre;

PreTokenizerPointer pre_tokenizer_from(std::string_view json) {
  return read_pre_tokenizer(parse_json(json, "tokenizer.json", {.max_bytes = 1 << 20}));
}

using Strings = std::vector<std::string>;

Strings split_by(const PreTokenizer& pre_tokenizer, std::string_view text) {
  const auto size = static_cast<uint32_t>(text.size());
  SplitText split = {AlignedText(text, {0, size}, AlignedText::Tracking::kOn), {}};
  if (size > 0) split.pieces.push_back({{0, size}});
  pre_tokenizer.apply(split);
  Strings pieces;
  for (const Piece& piece : split.pieces) {
    pieces.emplace_back(split.text.text().substr(piece.range.begin, piece.range.size()));
  }
  return pieces;
}

Strings split(std::string_view json, std::string_view text) {
  const PreTokenizerPointer pre_tokenizer = pre_tokenizer_from(json);
  Strings pieces = split_by(*pre_tokenizer, text);
  EXPECT_EQ(split_by(*pre_tokenizer_from(pre_tokenizer->to_json().dump()), text), pieces);
  return pieces;
}

TEST(PreTokenizers, Whitespace) {
  const char* json = R"({"type": "Whitespace"})";
  EXPECT_THAT(split(json, " don't stop-- x_1\u00a0é! "),
              ElementsAre("don", "'", "t", "stop", "--", "x_1", "é", "!"));
  EXPECT_THAT(split(json, "中文。ok😀\u200d😀"), ElementsAre("中文", "。", "ok", "😀", "\u200d", "😀"));
  EXPECT_TRUE(split(json, "").empty());
  EXPECT_TRUE(split(json, " \t\u3000").empty());
}

TEST(PreTokenizers, WhitespaceSplit) {
  EXPECT_THAT(split(R"({"type": "WhitespaceSplit"})", "\na-b  c.\u2003d"),
              ElementsAre("a-b", "c.", "d"));
}

TEST(PreTokenizers, Bert) {
  EXPECT_THAT(split(R"({"type": "BertPreTokenizer"})", "a--b c. «d»"),
              ElementsAre("a", "-", "-", "b", "c", ".", "«", "d", "»"));
}

TEST(PreTokenizers, PunctuationInEveryWay) {
  const auto at = [](const std::string& behavior) {
    return split(R"({"type": "Punctuation", "behavior": ")" + behavior + "\"}",
                 "-the-final--countdown");
  };
  EXPECT_THAT(at("Removed"), ElementsAre("the", "final", "countdown"));
  EXPECT_THAT(at("Isolated"), ElementsAre("-", "the", "-", "final", "-", "-", "countdown"));
  EXPECT_THAT(at("MergedWithPrevious"), ElementsAre("-", "the-", "final-", "-", "countdown"));
  EXPECT_THAT(at("MergedWithNext"), ElementsAre("-the", "-final", "-", "-countdown"));
  EXPECT_THAT(at("Contiguous"), ElementsAre("-", "the", "-", "final", "--", "countdown"));
  EXPECT_THAT(split(R"({"type": "Punctuation"})", "a."), ElementsAre("a", "."));
}

TEST(PreTokenizers, Digits) {
  EXPECT_THAT(split(R"({"type": "Digits", "individual_digits": false})", "a12b½"),
              ElementsAre("a", "12", "b", "½"));
  EXPECT_THAT(split(R"({"type": "Digits", "individual_digits": true})", "a12b٣"),
              ElementsAre("a", "1", "2", "b", "٣"));
}

TEST(PreTokenizers, Sequence) {
  EXPECT_THAT(split(R"({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"},
                        {"type": "Digits", "individual_digits": true}]})",
                    "in 42."),
              ElementsAre("in", "4", "2", "."));
}

TEST(PreTokenizers, LeavesAddedTokensAlone) {
  SplitText text = {AlignedText("a b c", {0, 5}, AlignedText::Tracking::kOn),
                    {{{0, 1}, kNoId}, {{1, 4}, 7}, {{4, 5}, kNoId}}};
  pre_tokenizer_from(R"({"type": "WhitespaceSplit"})")->apply(text);
  ASSERT_EQ(text.pieces.size(), 3u);
  EXPECT_EQ(text.pieces[1].id, 7);
  EXPECT_EQ(text.pieces[1].range, (Span{1, 4}));
}

TEST(PreTokenizers, RefusesWhatItDoesNotKnow) {
  EXPECT_THROW(pre_tokenizer_from(R"({"type": "UnicodeScripts"})"), DataError);
  EXPECT_THROW(pre_tokenizer_from(R"({"type": "Punctuation", "behavior": "isolated"})"), DataError);
  EXPECT_THROW(pre_tokenizer_from(R"({"type": "Digits", "individual": true})"), DataError);
  EXPECT_THROW(pre_tokenizer_from(R"({"type": "Sequence", "pretokenizers": {}})"), DataError);
  EXPECT_THROW(pre_tokenizer_from("[]"), DataError);
  EXPECT_THROW(pre_tokenizer_named("whitespace"), UsageError);
}

}  // namespace
}  // namespace heed::text
