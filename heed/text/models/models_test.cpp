// WordPiece, Unigram and BPE models: what they make of a piece, and what they refuse to load.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "heed/base/error.h"
#include "heed/text/models/bpe.h"
#include "heed/text/models/unigram.h"
#include "heed/text/models/word_piece.h"

namespace heed::text {
namespace {

using testing::ElementsAre;

ModelPointer from(std::string_view json) {
  return read_model(parse_json(json, "tokenizer.json", {.max_bytes = 1 << 20}));
}

std::vector<std::string> tokens_of(const Model& model, std::string_view piece) {
  std::vector<ModelToken> tokens;
  model.tokenize(piece, {}, tokens);
  std::vector<std::string> result;
  for (const ModelToken& token : tokens) result.push_back(model.vocabulary().token_of(token.id));
  return result;
}

std::string merges_of(const std::string& json) { return from(json)->to_json().dump(); }

constexpr std::string_view kBpe = R"({"type": "BPE", "unk_token": "?", "vocab":
  {"?": 0, "a": 1, "b": 2, "ab": 3, "aba": 4, "bb": 5}, "merges": [["b", "b"], "a b", "ab a"]})";

TEST(Bpe, MergesInTheOrderTheyWereLearnt) {
  const ModelPointer model = from(kBpe);
  EXPECT_THAT(tokens_of(*model, "abab"), ElementsAre("ab", "ab"));
  EXPECT_THAT(tokens_of(*model, "aba"), ElementsAre("aba"));
  EXPECT_THAT(tokens_of(*model, "abba"), ElementsAre("a", "bb", "a"));
  EXPECT_THAT(tokens_of(*model, "xaé"), ElementsAre("?", "a", "?"));
}

TEST(Bpe, LongPiecesAreMergedLikeShortOnes) {
  const ModelPointer model = from(kBpe);
  std::string piece;
  std::vector<std::string> expected;
  for (int i = 0; i < 60; ++i) {
    piece += "abbxab";
    for (const char* token : {"a", "bb", "?", "ab"}) expected.emplace_back(token);
  }
  // Where two of them meet, "ab" and "a" are "aba".
  std::vector<std::string> joined;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (!joined.empty() && joined.back() == "ab" && expected[i] == "a") {
      joined.back() = "aba";
    } else {
      joined.push_back(expected[i]);
    }
  }
  EXPECT_EQ(tokens_of(*model, piece), joined);
}

TEST(Bpe, JsonRoundTrip) {
  const std::string json = from(kBpe)->to_json().dump();
  EXPECT_EQ(merges_of(json), json);
}

TEST(Bpe, RefusesMergesThatCannotBe) {
  const auto with = [](const std::string& merges) {
    return R"({"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": )" + merges + "}";
  };
  EXPECT_NO_THROW(from(with(R"([["a", "b"]])")));
  for (const char* merges :
       {R"([["a", "c"]])", R"([["b", "a"]])", R"(["a b c"])", R"(["ab"])", R"([["a", "b", "c"]])",
        R"([["a", "b"], ["a", "b"]])", R"([[1, 2]])", R"({"a": "b"})", "null"}) {
    EXPECT_THROW(from(with(merges)), DataError) << merges;
  }
  EXPECT_THROW(from(R"({"type": "BPE", "vocab": {"a": 0}, "merges": [], "unk_token": "b"})"),
               DataError);
  EXPECT_THROW(from(R"({"type": "BPE", "vocab": {"a": 0}, "merges": [], "dropout": 0.1})"),
               DataError);
  EXPECT_THROW(from(R"({"type": "BPE", "vocab": {"a": 0}})"), DataError);
}

TEST(WordPiece, LongestMatchFirst) {
  const ModelPointer model = from(R"({"type": "WordPiece", "unk_token": "[UNK]",
    "continuing_subword_prefix": "##", "max_input_chars_per_word": 8,
    "vocab": {"[UNK]": 0, "un": 1, "##aff": 2, "##able": 3, "##a": 4, "é": 5, "##é": 6}})");
  EXPECT_THAT(tokens_of(*model, "unaffable"), ElementsAre("[UNK]"));  // nine characters
  EXPECT_THAT(tokens_of(*model, "unable"), ElementsAre("un", "##able"));
  EXPECT_THAT(tokens_of(*model, "unaffa"), ElementsAre("un", "##aff", "##a"));
  EXPECT_THAT(tokens_of(*model, "éé"), ElementsAre("é", "##é"));
  EXPECT_THAT(tokens_of(*model, "unx"), ElementsAre("[UNK]"));
}

TEST(Unigram, LikeliestCover) {
  const ModelPointer model = from(R"({"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0],
    ["a", 0.0], ["b", 0.0], ["c", 0.0], ["d", 0.0], ["cd", 1.0], ["ab", 2.0], ["abc", 5.0],
    ["abcd", 10.0]]})");
  EXPECT_THAT(tokens_of(*model, "abcdacdxx"), ElementsAre("abcd", "a", "cd", "<unk>"));
  EXPECT_THAT(tokens_of(*model, "é"), ElementsAre("<unk>"));
}

// "-", "--" and "--", "-" are as likely: the last bit decides, of sums of scores as tokenizers
// 0.23.3 reads them. What is written down are the scores as they were.
TEST(Unigram, ScoresCountAsThePackageReadsThem) {
  const char* json = R"({"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["x", -1.0],
    ["-", -8.660269301091192], ["--", -7.5080167207171815]]})";
  const ModelPointer model = from(json);
  EXPECT_THAT(tokens_of(*model, "x---"), ElementsAre("x", "--", "-"));
  EXPECT_EQ(model->to_json()["vocab"][3][1], -7.5080167207171815);
  EXPECT_EQ(model->to_json()["vocab"][2][1], -8.660269301091192);
}

// Half a character, which no expression should give: still nothing outside the piece.
TEST(Unigram, AnUnfinishedCharacter) {
  const ModelPointer model = from(R"({"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0],
    ["a", 0.0]]})");
  for (const std::string piece : {"\xc3", "a\xf0", "\xa9", "\xf0\x9f\x98"}) {
    const std::string alone = piece;  // with nothing behind it
    std::vector<ModelToken> tokens;
    model->tokenize(alone, {}, tokens);
    for (const ModelToken& token : tokens) {
      EXPECT_GE(token.id, 0);
      EXPECT_LE(token.range.end, piece.size());
    }
  }
}

TEST(Unigram, RefusesVocabulariesThatCannotBe) {
  for (const char* model :
       {R"({"type": "Unigram", "unk_id": 1, "vocab": [["a", 0.0]]})",
        R"({"type": "Unigram", "unk_id": 0, "vocab": [["a"]]})",
        R"({"type": "Unigram", "unk_id": 0, "vocab": [["a", "b"]]})",
        R"({"type": "Unigram", "unk_id": 0, "vocab": [["a", 0.0], ["a", 1.0]]})",
        R"({"type": "Unigram", "unk_id": 0, "vocab": {"a": 0}})",
        R"({"type": "Unigram", "unk_id": 0})"}) {
    EXPECT_THROW(from(model), DataError) << model;
  }
}

}  // namespace
}  // namespace heed::text
