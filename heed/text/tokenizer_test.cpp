#include "heed/text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "heed/base/error.h"
#include "heed/io/json.h"

namespace heed::text {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kExample = R"({
  "version": "1.0",
  "truncation": null,
  "padding": null,
  "added_tokens": [
    {"id": 0, "content": "[PAD]", "single_word": false, "lstrip": false, "rstrip": false,
     "normalized": false, "special": true},
    {"id": 1, "content": "[UNK]", "single_word": false, "lstrip": false, "rstrip": false,
     "normalized": false, "special": true},
    {"id": 5, "content": "<br>", "single_word": false, "lstrip": true, "rstrip": true,
     "normalized": false, "special": false},
    {"id": 6, "content": "New York", "single_word": true, "lstrip": false, "rstrip": false,
     "normalized": true, "special": false}
  ],
  "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Lowercase"}]},
  "pre_tokenizer": {"type": "Whitespace"},
  "post_processor": null,
  "decoder": null,
  "model": {
    "type": "WordLevel",
    "vocab": {"[PAD]": 0, "[UNK]": 1, "hello": 2, "world": 3, "é": 4},
    "unk_token": "[UNK]"
  }
})";

// The example with one field set to something else.
std::string json_with(const std::string& pointer, const Json& value) {
  Json json = Json::parse(kExample);
  json[Json::json_pointer(pointer)] = value;
  return json.dump();
}

std::string message_of_reading(const std::string& json) {
  try {
    Tokenizer::from_json(json, "bad.json");
  } catch (const DataError& error) {
    return error.what();
  }
  return "accepted";
}

Tokenizer example_tokenizer() { return Tokenizer::from_json(kExample); }

TEST(Tokenizer, EncodesWithOffsetsInBytes) {
  const Encoding encoding =
      example_tokenizer().with_specials(Specials::kAsTokens).encode(" HELLO,world e\u0301[PAD]");
  EXPECT_THAT(encoding.ids, ElementsAre(2, 1, 3, 4, 0));
  EXPECT_THAT(encoding.tokens, ElementsAre("hello", "[UNK]", "world", "é", "[PAD]"));
  // The composed "é" has the place of its first part.
  EXPECT_THAT(encoding.offsets,
              ElementsAre(Span{1, 6}, Span{6, 7}, Span{7, 12}, Span{13, 14}, Span{16, 21}));
}

TEST(Tokenizer, IdsAloneAreTheSame) {
  const Tokenizer tokenizer = example_tokenizer();
  std::vector<int32_t> ids = {9, 9, 9};
  for (const char* text : {"", "   ", "hello", "hello WORLD! <br> é New York [UNK]"}) {
    tokenizer.encode_ids(text, ids);
    EXPECT_EQ(ids, tokenizer.encode(text).ids);
    EXPECT_EQ(tokenizer.encode_ids(text), ids);
  }
}

TEST(Tokenizer, AddedTokensTakeWhatTheyMay) {
  const Tokenizer tokenizer = example_tokenizer();
  const Encoding br = tokenizer.encode("hello  <br>\n world");
  EXPECT_THAT(br.ids, ElementsAre(2, 5, 3));
  EXPECT_THAT(br.offsets, ElementsAre(Span{0, 5}, Span{5, 13}, Span{13, 18}));
  EXPECT_THAT(tokenizer.encode_ids("<br> <br>"), ElementsAre(5, 5));
  EXPECT_THAT(tokenizer.encode_ids("new york NEW YORK, New Yorks"), ElementsAre(6, 6, 1, 1, 1));
  EXPECT_THAT(tokenizer.encode_ids("[pad]"), ElementsAre(1, 1, 1));
}

TEST(Tokenizer, SpecialTokensInATextAreText) {
  const Tokenizer tokenizer = example_tokenizer();
  EXPECT_THAT(tokenizer.encode("hello[PAD]world").tokens,
              ElementsAre("hello", "[UNK]", "[UNK]", "[UNK]", "world"));
  EXPECT_THAT(tokenizer.with_specials(Specials::kAsTokens).encode_ids("hello[PAD]world"),
              ElementsAre(2, 0, 3));
  // Not even where the vocabulary knows the whole word, as at any of the models.
  const auto ids_of = [](const Json& model, std::string_view text) {
    Json json = Json::parse(kExample);
    json["model"] = model;
    json["normalizer"] = nullptr;
    json["pre_tokenizer"] = {{"type", "WhitespaceSplit"}};
    json["added_tokens"] = {json["added_tokens"][0], json["added_tokens"][1]};
    return Tokenizer::from_json(json.dump()).encode_ids(text);
  };
  const Json words = {{"[PAD]", 0}, {"[UNK]", 1}, {"[", 2}, {"P", 3}, {"AD]", 4}, {"[P", 5}};
  Json model = {{"type", "WordLevel"}, {"vocab", words}, {"unk_token", "[UNK]"}};
  EXPECT_THAT(ids_of(model, "[PAD] P [UNK]"), ElementsAre(1, 3, 1));
  model["type"] = "WordPiece";
  model["continuing_subword_prefix"] = "";
  model["max_input_chars_per_word"] = 100;
  EXPECT_THAT(ids_of(model, "[PAD] P"), ElementsAre(5, 4, 3));
  Json pieces = {{"[PAD]", 0}, {"[UNK]", 1}, {"[", 2},  {"P", 3},   {"A", 4},
                 {"D", 5},     {"]", 6},     {"[P", 7}, {"[PA", 8}, {"[PAD", 9}};
  model = {{"type", "BPE"},
           {"vocab", pieces},
           {"unk_token", "[UNK]"},
           {"ignore_merges", true},
           {"merges", {"[ P", "[P A", "[PA D", "[PAD ]"}}};
  EXPECT_THAT(ids_of(model, "[PAD] P"), ElementsAre(9, 6, 3));
  model["ignore_merges"] = false;
  EXPECT_THAT(ids_of(model, "[PAD] P"), ElementsAre(9, 6, 3));
  std::string long_word;
  for (int i = 0; i < 20; ++i) long_word += "[PAD]";
  EXPECT_THAT(ids_of(model, long_word), testing::Each(testing::AnyOf(9, 6)));
  model = {
      {"type", "Unigram"},
      {"unk_id", 1},
      {"vocab", Json::parse(R"([["[PAD]", 0.0], ["[UNK]", 0.0], ["[P", -9.0], ["AD]", -9.0]])")}};
  EXPECT_THAT(ids_of(model, "[PAD]"), ElementsAre(2, 3));
}

// As the package, which takes the first type whose fields are there.
TEST(Tokenizer, FilesWithoutATypeOfTheModel) {
  const auto type_of = [](const Json& model) {
    Json json = Json::parse(kExample);
    json["model"] = model;
    json["added_tokens"] = Json::array();
    return std::string(Tokenizer::from_json(json.dump()).model_type());
  };
  const Json vocabulary = {{"a", 0}, {"b", 1}};
  EXPECT_EQ(type_of({{"vocab", vocabulary}, {"merges", Json::array()}}), "BPE");
  EXPECT_EQ(type_of({{"vocab", vocabulary}, {"unk_token", "a"}}), "WordLevel");
  EXPECT_EQ(type_of({{"vocab", vocabulary},
                     {"unk_token", "a"},
                     {"continuing_subword_prefix", "##"},
                     {"max_input_chars_per_word", 100}}),
            "WordPiece");
  EXPECT_EQ(type_of({{"vocab", Json::parse(R"([["a", 0.0], ["b", -1.0]])")}, {"unk_id", 0}}),
            "Unigram");
  Json json = Json::parse(kExample);
  json["model"].erase("type");
  EXPECT_EQ(Tokenizer::from_json(json.dump()).to_json(), example_tokenizer().to_json());
  EXPECT_THAT(message_of_reading(json_with("/model", {{"vocab", vocabulary}})),
              HasSubstr("model.unk_token"));
}

// A blank that belongs to a token is no part of what it stands for.
TEST(Tokenizer, TrimmedOffsets) {
  Json json = Json::parse(kExample);
  json["added_tokens"] = Json::array();
  json["normalizer"] = nullptr;
  json["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", true}};
  json["model"] = {{"vocab", {{"Ġhi", 0}, {"Ġ", 1}, {"?", 2}, {"<s>", 3}}}, {"unk_token", "?"}};
  const auto offsets = [&](const Json& processor) {
    json["post_processor"] = processor;
    return Tokenizer::from_json(json.dump()).encode("hi hi   hi").offsets;
  };
  EXPECT_THAT(offsets(nullptr), ElementsAre(Span{0, 2}, Span{2, 5}, Span{5, 7}, Span{7, 10}));
  const Json trims = {{"type", "ByteLevel"}, {"trim_offsets", true}, {"add_prefix_space", true}};
  EXPECT_THAT(offsets(trims), ElementsAre(Span{0, 2}, Span{3, 5}, Span{5, 7}, Span{8, 10}));
  const Json kept = {{"type", "ByteLevel"}, {"trim_offsets", false}, {"add_prefix_space", true}};
  EXPECT_EQ(offsets(kept), offsets(nullptr));
  const Json roberta = {{"type", "RobertaProcessing"},
                        {"sep", {"<s>", 3}},
                        {"cls", {"<s>", 3}},
                        {"trim_offsets", true},
                        {"add_prefix_space", true}};
  EXPECT_THAT(offsets(roberta),
              ElementsAre(Span{}, Span{0, 2}, Span{3, 5}, Span{5, 7}, Span{8, 10}, Span{}));
  const Json bert = {{"type", "BertProcessing"}, {"sep", {"<s>", 3}}, {"cls", {"<s>", 3}}};
  EXPECT_THAT(offsets({{"type", "Sequence"}, {"processors", {trims, bert}}}),
              ElementsAre(Span{}, Span{0, 2}, Span{3, 5}, Span{5, 7}, Span{8, 10}, Span{}));
}

// Rules that multiply a text are refused before they fill the memory.
TEST(Tokenizer, ExpansionsHaveALimit) {
  const std::string text(10'000, 'a');
  Json doubling = Json::array();
  for (int i = 0; i < 64; ++i) {
    doubling.push_back({{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}});
  }
  const auto tokenizer = [](const char* part, const Json& value) {
    return Tokenizer::from_json(json_with(part, value));
  };
  const Tokenizer replaces =
      tokenizer("/normalizer", {{"type", "Sequence"}, {"normalizers", doubling}});
  EXPECT_THROW(replaces.encode_ids(text), DataError);
  EXPECT_THROW(replaces.encode(text), DataError);
  Json bytes = Json::array();
  for (int i = 0; i < 64; ++i) bytes.push_back({{"type", "ByteLevel"}});
  EXPECT_THROW(
      tokenizer("/pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", bytes}}).encode_ids("é"),
      DataError);
  for (Json& part : doubling) part["pattern"]["String"] = "l";
  for (Json& part : doubling) part["content"] = "ll";
  const Tokenizer decodes = tokenizer("/decoder", {{"type", "Sequence"}, {"decoders", doubling}});
  EXPECT_THROW(decodes.decode(std::vector<int32_t>(100, 3)), DataError);

  Json ids = Json::array();
  for (int i = 0; i < 100; ++i) ids.push_back(1);
  Json single = Json::array({{{"Sequence", {{"id", "A"}, {"type_id", 0}}}}});
  for (int i = 0; i < 100; ++i) single.push_back({{"SpecialToken", {{"id", "x"}, {"type_id", 0}}}});
  const Json expanding = {{"type", "TemplateProcessing"},
                          {"single", single},
                          {"pair", single},
                          {"special_tokens", {{"x", {{"id", "x"}, {"ids", ids}}}}}};
  EXPECT_THAT(message_of_reading(json_with("/post_processor", expanding)),
              testing::AllOf(HasSubstr("post_processor.single[11]"), HasSubstr("1024")));
}

TEST(Tokenizer, DecodesWithoutSpecialTokens) {
  const Tokenizer tokenizer = example_tokenizer();
  EXPECT_EQ(tokenizer.decode(std::vector<int32_t>{0, 2, 1, 3, 6, 0}), "hello world new york");
  EXPECT_EQ(tokenizer.decode({}), "");
  EXPECT_THROW(tokenizer.decode(std::vector<int32_t>{7}), UsageError);
  EXPECT_THROW(tokenizer.decode(std::vector<int32_t>{-1}), UsageError);
}

TEST(Tokenizer, KnowsItsTokens) {
  const Tokenizer tokenizer = example_tokenizer();
  EXPECT_EQ(tokenizer.size(), 7);
  EXPECT_EQ(tokenizer.id_of("world"), 3);
  EXPECT_EQ(tokenizer.id_of("<br>"), 5);
  EXPECT_EQ(tokenizer.id_of("World"), std::nullopt);
  EXPECT_EQ(tokenizer.token_of(6), "New York");
  EXPECT_EQ(tokenizer.padding_id(), 0);
  EXPECT_EQ(tokenizer.unknown_id(), 1);
  EXPECT_EQ(tokenizer.model_type(), "WordLevel");
  EXPECT_EQ(tokenizer.added_tokens().size(), 4u);
}

TEST(Tokenizer, JsonRoundTrip) {
  const Tokenizer tokenizer = example_tokenizer();
  const std::string json = tokenizer.to_json();
  EXPECT_EQ(Json::parse(json), Json::parse(kExample));
  EXPECT_EQ(Tokenizer::from_json(json).to_json(), json);
}

TEST(Tokenizer, SavesAndLoads) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / "heed_tokenizer_test" / "tokenizer.json";
  example_tokenizer().save(file);
  EXPECT_EQ(Tokenizer::load(file).to_json(), example_tokenizer().to_json());
  std::filesystem::remove_all(file.parent_path());
  EXPECT_THROW(Tokenizer::load(file), MissingInputError);
}

TEST(Tokenizer, Truncation) {
  EXPECT_EQ(example_tokenizer().max_length(), std::nullopt);
  const Tokenizer right = example_tokenizer().with_max_length(2);
  EXPECT_EQ(right.max_length(), 2);
  EXPECT_THAT(right.encode_ids("hello hello world"), ElementsAre(2, 2));
  EXPECT_EQ(right.encode("hello hello world").offsets.size(), 2u);
  EXPECT_EQ(Tokenizer::from_json(right.to_json()).max_length(), 2);
  const Json left = {
      {"max_length", 2}, {"direction", "Left"}, {"strategy", "LongestFirst"}, {"stride", 0}};
  const Tokenizer from_left = Tokenizer::from_json(json_with("/truncation", left));
  EXPECT_THAT(from_left.encode_ids("hello hello world"), ElementsAre(2, 3));
  EXPECT_THAT(from_left.encode("hello hello world").tokens, ElementsAre("hello", "world"));
  EXPECT_EQ(Json::parse(from_left.to_json())["truncation"], left);
  EXPECT_EQ(right.with_max_length(std::nullopt).encode_ids("hello hello world").size(), 3u);
  EXPECT_THROW(example_tokenizer().with_max_length(0), UsageError);
}

TEST(Tokenizer, PaddingNamesTheId) {
  const Json padding = {
      {"strategy", "BatchLongest"},    {"direction", "Right"}, {"pad_id", 2},
      {"pad_to_multiple_of", nullptr}, {"pad_type_id", 0},     {"pad_token", "hello"}};
  const Tokenizer tokenizer = Tokenizer::from_json(json_with("/padding", padding));
  EXPECT_EQ(tokenizer.padding_id(), 2);
  EXPECT_EQ(Json::parse(tokenizer.to_json())["padding"], padding);
  EXPECT_THAT(message_of_reading(json_with("/padding", {{"strategy", {{"Every", 8}}},
                                                        {"direction", "Right"},
                                                        {"pad_id", 0},
                                                        {"pad_token", "[PAD]"}})),
              HasSubstr("padding.strategy"));
  Json wrong = padding;
  wrong["pad_id"] = 3;
  EXPECT_THAT(message_of_reading(json_with("/padding", wrong)), HasSubstr("pad_id"));
  wrong["pad_id"] = 99;
  EXPECT_THAT(message_of_reading(json_with("/padding", wrong)), HasSubstr("pad_id"));
}

TEST(Tokenizer, RefusesTextThatIsNotUtf8) {
  const Tokenizer tokenizer = example_tokenizer();
  for (const std::string text : {"\xff", "ab\xc3", "\xed\xa0\x80", "\xc0\x80"}) {
    EXPECT_THROW(tokenizer.encode(text), DataError);
    EXPECT_THROW(tokenizer.encode_ids(text), DataError);
  }
  EXPECT_THAT(tokenizer.encode_ids(std::string_view("hello\0world", 11)), ElementsAre(2, 1, 3));
}

TEST(Tokenizer, RefusesFilesThatContradictThemselves) {
  ASSERT_EQ(message_of_reading(std::string(kExample)), "accepted");
  EXPECT_THAT(message_of_reading("{}"), HasSubstr("bad.json"));
  EXPECT_THAT(message_of_reading(json_with("/version", "2.0")), HasSubstr("version"));
  EXPECT_THAT(message_of_reading(json_with("/extra", 1)), HasSubstr("extra"));
  EXPECT_THAT(message_of_reading(json_with("/model/type", "WordPice")),
              testing::AllOf(HasSubstr("model.type"), HasSubstr("WordPice")));
  EXPECT_THAT(message_of_reading(json_with("/model/unk_token", "<unk>")),
              HasSubstr("model.unk_token"));
  EXPECT_THAT(message_of_reading(json_with("/model/vocab/hello", 1)), HasSubstr("model.vocab"));
  EXPECT_THAT(message_of_reading(json_with("/model/vocab/hello", 5)), HasSubstr("model.vocab"));
  EXPECT_THAT(message_of_reading(json_with("/model/dropout", 0.1)), HasSubstr("dropout"));
  EXPECT_THAT(message_of_reading(json_with("/normalizer/type", "Romanized")),
              HasSubstr("normalizer.type"));
  EXPECT_THAT(message_of_reading(json_with("/pre_tokenizer/type", "Jieba")),
              HasSubstr("pre_tokenizer.type"));
  EXPECT_THAT(message_of_reading(json_with("/added_tokens/0/id", 4)), HasSubstr("[PAD]"));
  EXPECT_THAT(message_of_reading(json_with("/added_tokens/3/id", 9)), HasSubstr("New York"));
  EXPECT_THAT(message_of_reading(json_with("/added_tokens/2/id", 6)), HasSubstr("added_tokens"));
  EXPECT_THAT(message_of_reading(json_with("/added_tokens/2/id", -1)),
              HasSubstr("added_tokens[2].id"));
  EXPECT_THAT(message_of_reading(json_with("/added_tokens/2/content", "")),
              HasSubstr("added_tokens[2].content"));
  EXPECT_THAT(message_of_reading(json_with("/added_tokens/2/content", "[PAD]")),
              HasSubstr("[PAD]"));
  EXPECT_THAT(message_of_reading(json_with("/added_tokens/2/special", "no")), HasSubstr("special"));
  EXPECT_THAT(message_of_reading(json_with(
                  "/truncation", {{"max_length", 0}, {"strategy", "LongestFirst"}, {"stride", 0}})),
              HasSubstr("max_length"));
  EXPECT_THAT(message_of_reading(json_with(
                  "/truncation", {{"max_length", 4}, {"strategy", "Alternating"}, {"stride", 0}})),
              HasSubstr("strategy"));
}

TEST(Tokenizer, RefusesEveryTruncationOfAFile) {
  for (size_t size = 0; size + 1 < kExample.size(); ++size) {
    EXPECT_NE(message_of_reading(std::string(kExample.substr(0, size))), "accepted") << size;
  }
}

TEST(Tokenizer, SurvivesDamagedFiles) {
  uint32_t state = 1;
  const auto random = [&] { return (state = state * 1664525 + 1013904223) >> 8; };
  for (int i = 0; i < 3000; ++i) {
    std::string json(kExample);
    json[random() % json.size()] ^= static_cast<char>(1u << (random() % 8));
    try {
      Tokenizer::from_json(json).encode("Hello world <br> New York é");
    } catch (const DataError&) {
    }
  }
}

TEST(Tokenizer, ManyThreadsMayUseOne) {
  const Tokenizer tokenizer = example_tokenizer();
  const std::vector<int32_t> expected = tokenizer.encode_ids("Hello, e\u0301 New York <br> é");
  std::vector<std::thread> threads;
  std::vector<int> same(4, 0);
  for (size_t t = 0; t < same.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        same[t] += tokenizer.encode_ids("Hello, e\u0301 New York <br> é") == expected;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(same, testing::Each(200));
}

}  // namespace
}  // namespace heed::text
