// Pairs of texts, what stands around them, and how they are cut: tokenizer_encode.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "heed/base/error.h"
#include "heed/io/json.h"
#include "heed/text/tokenizer.h"

namespace heed::text {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Json example() {
  return {{"version", "1.0"},
          {"pre_tokenizer", {{"type", "Whitespace"}}},
          {"model",
           {{"type", "WordLevel"},
            {"vocab", {{"?", 0}, {"[CLS]", 1}, {"[SEP]", 2}, {"a", 3}, {"b", 4}, {"c", 5}}},
            {"unk_token", "?"}}}};
}

Tokenizer with(const Json& processor, const Json& truncation = nullptr) {
  Json json = example();
  json["post_processor"] = processor;
  json["truncation"] = truncation;
  return Tokenizer::from_json(json.dump());
}

std::string message_of_field(const char* field, const Json& value) {
  Json json = example();
  json[field] = value;
  try {
    Tokenizer::from_json(json.dump(), "bad.json");
  } catch (const DataError& error) {
    return error.what();
  }
  return "accepted";
}

const Json kBert = {{"type", "BertProcessing"}, {"sep", {"[SEP]", 2}}, {"cls", {"[CLS]", 1}}};
const Json kRoberta = {{"type", "RobertaProcessing"},
                       {"sep", {"[SEP]", 2}},
                       {"cls", {"[CLS]", 1}},
                       {"trim_offsets", true},
                       {"add_prefix_space", false}};

TEST(Pairs, TypesOffsetsAndTheMask) {
  const Encoding bert = with(kBert).encode_pair("a b", " c");
  EXPECT_THAT(bert.ids, ElementsAre(1, 3, 4, 2, 5, 2));
  EXPECT_THAT(bert.tokens, ElementsAre("[CLS]", "a", "b", "[SEP]", "c", "[SEP]"));
  EXPECT_THAT(bert.type_ids, ElementsAre(0, 0, 0, 0, 1, 1));
  EXPECT_THAT(bert.sequence_ids, ElementsAre(-1, 0, 0, -1, 1, -1));
  EXPECT_THAT(bert.special_tokens_mask(), ElementsAre(1, 0, 0, 1, 0, 1));
  EXPECT_THAT(bert.offsets,
              ElementsAre(Span{}, Span{0, 1}, Span{2, 3}, Span{}, Span{1, 2}, Span{}));
  const EncodedIds ids = with(kBert).encode_pair_ids("a b", " c");
  EXPECT_EQ(ids.ids, bert.ids);
  EXPECT_EQ(ids.type_ids, bert.type_ids);
  const Encoding bare = with(kBert).encode_pair("a b", "c", Surround::kNo);
  EXPECT_THAT(bare.ids, ElementsAre(3, 4, 5));
  EXPECT_THAT(bare.type_ids, ElementsAre(0, 0, 1));

  const Encoding roberta = with(kRoberta).encode_pair("a", "b");
  EXPECT_THAT(roberta.ids, ElementsAre(1, 3, 2, 2, 4, 2));
  EXPECT_THAT(roberta.type_ids, ElementsAre(0, 0, 0, 0, 0, 0));
  const Encoding plain = with(nullptr).encode_pair("a", "b c");
  EXPECT_THAT(plain.ids, ElementsAre(3, 4, 5));
  EXPECT_THAT(plain.type_ids, ElementsAre(0, 1, 1));
  EXPECT_THAT(with(kBert).encode("a").type_ids, ElementsAre(0, 0, 0));
}

// The blank that an added token takes is trimmed like any other.
TEST(Pairs, AddedTokensAreTrimmed) {
  Json json = example();
  json["pre_tokenizer"] = nullptr;
  json["post_processor"] = kRoberta;
  json["added_tokens"] = Json::array({{{"id", 6},
                                       {"content", "<mask>"},
                                       {"single_word", false},
                                       {"lstrip", true},
                                       {"rstrip", true},
                                       {"normalized", false},
                                       {"special", true}}});
  const auto tokenizer = [&] {
    return Tokenizer::from_json(json.dump()).with_specials(Specials::kAsTokens);
  };
  EXPECT_EQ(tokenizer().encode("a <mask>\t b").offsets.at(2), (Span{2, 8}));
  json["post_processor"]["trim_offsets"] = false;
  EXPECT_EQ(tokenizer().encode("a <mask>\t b").offsets.at(2), (Span{1, 10}));
}

TEST(Pairs, TheTemplateOfTheFile) {
  const Json part = {{"SpecialToken", {{"id", "x"}, {"type_id", 9}}}};
  const Json first = {{"Sequence", {{"id", "A"}, {"type_id", 5}}}};
  const Json second = {{"Sequence", {{"id", "B"}, {"type_id", 7}}}};
  const Json processor = {
      {"type", "TemplateProcessing"},
      {"single", Json::array({part, first})},
      {"pair", Json::array({second, part, first})},
      {"special_tokens", {{"x", {{"id", "x"}, {"ids", {1, 2}}, {"tokens", {"[CLS]", "[SEP]"}}}}}}};
  const Encoding pair = with(processor).encode_pair("a", "b");
  EXPECT_THAT(pair.ids, ElementsAre(4, 1, 2, 3));
  EXPECT_THAT(pair.type_ids, ElementsAre(7, 9, 9, 5));
  EXPECT_THAT(with(processor).encode("a").type_ids, ElementsAre(9, 9, 5));
  const Tokenizer again = Tokenizer::from_json(with(processor).to_json());
  EXPECT_THAT(again.encode_pair("a", "b").type_ids, ElementsAre(7, 9, 9, 5));
}

TEST(Pairs, AreCutTogether) {
  const auto encode = [](const char* strategy, const char* direction, int length) {
    return with(kBert, {{"max_length", length},
                        {"strategy", strategy},
                        {"direction", direction},
                        {"stride", 0}})
        .encode_pair("a b c a", "b c");
  };
  EXPECT_THAT(encode("LongestFirst", "Right", 9).ids, ElementsAre(1, 3, 4, 5, 3, 2, 4, 5, 2));
  EXPECT_THAT(encode("LongestFirst", "Right", 8).ids, ElementsAre(1, 3, 4, 5, 2, 4, 5, 2));
  EXPECT_THAT(encode("LongestFirst", "Right", 6).ids, ElementsAre(1, 3, 4, 2, 4, 2));
  EXPECT_THAT(encode("LongestFirst", "Left", 7).ids, ElementsAre(1, 5, 3, 2, 4, 5, 2));
  EXPECT_THAT(encode("OnlyFirst", "Right", 6).ids, ElementsAre(1, 3, 2, 4, 5, 2));
  EXPECT_THAT(encode("OnlySecond", "Left", 8).ids, ElementsAre(1, 3, 4, 5, 3, 2, 5, 2));
  EXPECT_THROW(encode("OnlySecond", "Right", 7), DataError);
  EXPECT_THAT(encode("LongestFirst", "Right", 2).ids, ElementsAre(1, 2, 2));
}

TEST(Pairs, TruncationAndPaddingAreKept) {
  Json json = example();
  json["truncation"] = {
      {"max_length", 3}, {"strategy", "OnlyFirst"}, {"direction", "Left"}, {"stride", 2}};
  json["padding"] = {{"strategy", {{"Fixed", 128}}},
                     {"direction", "Right"},
                     {"pad_to_multiple_of", nullptr},
                     {"pad_id", 0},
                     {"pad_type_id", 0},
                     {"pad_token", "?"}};
  const Tokenizer tokenizer = Tokenizer::from_json(json.dump());
  const Json written = Json::parse(tokenizer.to_json());
  EXPECT_EQ(written["truncation"], json["truncation"]);
  EXPECT_EQ(written["padding"], json["padding"]);
  // A length that the file fixes is no business of a single text.
  EXPECT_THAT(tokenizer.encode_ids("a"), ElementsAre(3));
  EXPECT_THAT(tokenizer.with_max_length(5).encode_ids("a b c a b c"), ElementsAre(4, 5, 3, 4, 5));
  EXPECT_THAT(tokenizer.with_max_length(2, TruncationSide::kRight).encode_ids("a b c"),
              ElementsAre(3, 4));
}

TEST(Pairs, MalformedProcessorsAreRefused) {
  const Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const auto single = [&](const Json& list) -> Json {
    return {{"type", "TemplateProcessing"},
            {"single", list},
            {"pair", Json::array({text})},
            {"special_tokens", Json::object()}};
  };
  EXPECT_EQ(message_of_field("post_processor", single(Json::array({text}))), "accepted");
  EXPECT_THAT(message_of_field("post_processor", single(Json::array({text, text}))),
              HasSubstr("post_processor.single"));
  EXPECT_THAT(
      message_of_field("post_processor",
                       single(Json::array({{{"Sequence", {{"id", "C"}, {"type_id", 0}}}}}))),
      HasSubstr("post_processor.single[0].Sequence.id"));
  EXPECT_THAT(
      message_of_field("post_processor", {{"type", "Sequence"}, {"processors", {kBert, kRoberta}}}),
      HasSubstr("post_processor.processors[1]"));
  EXPECT_THAT(
      message_of_field("post_processor",
                       {{"type", "BertProcessing"}, {"sep", {"[SEP]", 6}}, {"cls", {"[CLS]", 1}}}),
      HasSubstr("post_processor"));
  EXPECT_THAT(
      message_of_field("truncation", {{"max_length", 3}, {"strategy", "Both"}, {"stride", 0}}),
      HasSubstr("truncation.strategy"));
}

}  // namespace
}  // namespace heed::text
