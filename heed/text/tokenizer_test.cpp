#include "heed/text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
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
std::string with(const std::string& pointer, const Json& value) {
  Json json = Json::parse(kExample);
  json[Json::json_pointer(pointer)] = value;
  return json.dump();
}

std::string message_of(const std::string& json) {
  try {
    Tokenizer::from_json(json, "bad.json");
  } catch (const DataError& error) {
    return error.what();
  }
  return "accepted";
}

Tokenizer example() { return Tokenizer::from_json(kExample); }

TEST(Tokenizer, EncodesWithOffsetsInBytes) {
  const Encoding encoding = example().encode(" HELLO,world e\u0301[PAD]");
  EXPECT_THAT(encoding.ids, ElementsAre(2, 1, 3, 4, 0));
  EXPECT_THAT(encoding.tokens, ElementsAre("hello", "[UNK]", "world", "é", "[PAD]"));
  EXPECT_THAT(encoding.offsets,
              ElementsAre(Span{1, 6}, Span{6, 7}, Span{7, 12}, Span{13, 16}, Span{16, 21}));
}

TEST(Tokenizer, IdsAloneAreTheSame) {
  const Tokenizer tokenizer = example();
  std::vector<int32_t> ids = {9, 9, 9};
  for (const char* text : {"", "   ", "hello", "hello WORLD! <br> é New York [UNK]"}) {
    tokenizer.encode_ids(text, ids);
    EXPECT_EQ(ids, tokenizer.encode(text).ids);
    EXPECT_EQ(tokenizer.encode_ids(text), ids);
  }
}

TEST(Tokenizer, AddedTokensTakeWhatTheyMay) {
  const Tokenizer tokenizer = example();
  const Encoding br = tokenizer.encode("hello  <br>\n world");
  EXPECT_THAT(br.ids, ElementsAre(2, 5, 3));
  EXPECT_THAT(br.offsets, ElementsAre(Span{0, 5}, Span{5, 13}, Span{13, 18}));
  EXPECT_THAT(tokenizer.encode_ids("<br> <br>"), ElementsAre(5, 5));
  EXPECT_THAT(tokenizer.encode_ids("new york NEW YORK, New Yorks"), ElementsAre(6, 6, 1, 1, 1));
  EXPECT_THAT(tokenizer.encode_ids("[pad]"), ElementsAre(1, 1, 1));
}

TEST(Tokenizer, DecodesWithoutSpecialTokens) {
  const Tokenizer tokenizer = example();
  EXPECT_EQ(tokenizer.decode(std::vector<int32_t>{0, 2, 1, 3, 6, 0}), "hello world new york");
  EXPECT_EQ(tokenizer.decode({}), "");
  EXPECT_THROW(tokenizer.decode(std::vector<int32_t>{7}), UsageError);
  EXPECT_THROW(tokenizer.decode(std::vector<int32_t>{-1}), UsageError);
}

TEST(Tokenizer, KnowsItsTokens) {
  const Tokenizer tokenizer = example();
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
  const Tokenizer tokenizer = example();
  const std::string json = tokenizer.to_json();
  EXPECT_EQ(Json::parse(json), Json::parse(kExample));
  EXPECT_EQ(Tokenizer::from_json(json).to_json(), json);
}

TEST(Tokenizer, SavesAndLoads) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / "heed_tokenizer_test" / "tokenizer.json";
  example().save(file);
  EXPECT_EQ(Tokenizer::load(file).to_json(), example().to_json());
  std::filesystem::remove_all(file.parent_path());
  EXPECT_THROW(Tokenizer::load(file), MissingInputError);
}

TEST(Tokenizer, Truncation) {
  EXPECT_EQ(example().max_length(), std::nullopt);
  const Tokenizer right = example().with_max_length(2);
  EXPECT_EQ(right.max_length(), 2);
  EXPECT_THAT(right.encode_ids("hello hello world"), ElementsAre(2, 2));
  EXPECT_EQ(right.encode("hello hello world").offsets.size(), 2u);
  EXPECT_EQ(Tokenizer::from_json(right.to_json()).max_length(), 2);
  const Json left = {
      {"max_length", 2}, {"direction", "Left"}, {"strategy", "LongestFirst"}, {"stride", 0}};
  const Tokenizer from_left = Tokenizer::from_json(with("/truncation", left));
  EXPECT_THAT(from_left.encode_ids("hello hello world"), ElementsAre(2, 3));
  EXPECT_THAT(from_left.encode("hello hello world").tokens, ElementsAre("hello", "world"));
  EXPECT_EQ(Json::parse(from_left.to_json())["truncation"], left);
  EXPECT_EQ(right.with_max_length(std::nullopt).encode_ids("hello hello world").size(), 3u);
  EXPECT_THROW(example().with_max_length(0), UsageError);
}

TEST(Tokenizer, PaddingNamesTheId) {
  const Json padding = {
      {"strategy", "BatchLongest"},    {"direction", "Right"}, {"pad_id", 2},
      {"pad_to_multiple_of", nullptr}, {"pad_type_id", 0},     {"pad_token", "hello"}};
  const Tokenizer tokenizer = Tokenizer::from_json(with("/padding", padding));
  EXPECT_EQ(tokenizer.padding_id(), 2);
  EXPECT_EQ(Json::parse(tokenizer.to_json())["padding"], padding);
  EXPECT_THAT(message_of(with("/padding", {{"strategy", {{"Fixed", 8}}},
                                           {"direction", "Right"},
                                           {"pad_id", 0},
                                           {"pad_token", "[PAD]"}})),
              HasSubstr("padding.strategy"));
  Json wrong = padding;
  wrong["pad_id"] = 3;
  EXPECT_THAT(message_of(with("/padding", wrong)), HasSubstr("pad_id"));
  wrong["pad_id"] = 99;
  EXPECT_THAT(message_of(with("/padding", wrong)), HasSubstr("pad_id"));
}

TEST(Tokenizer, RefusesTextThatIsNotUtf8) {
  const Tokenizer tokenizer = example();
  for (const std::string text : {"\xff", "ab\xc3", "\xed\xa0\x80", "\xc0\x80"}) {
    EXPECT_THROW(tokenizer.encode(text), DataError);
    EXPECT_THROW(tokenizer.encode_ids(text), DataError);
  }
  EXPECT_THAT(tokenizer.encode_ids(std::string_view("hello\0world", 11)), ElementsAre(2, 1, 3));
}

TEST(Tokenizer, RefusesFilesThatContradictThemselves) {
  ASSERT_EQ(message_of(std::string(kExample)), "accepted");
  EXPECT_THAT(message_of("{}"), HasSubstr("bad.json"));
  EXPECT_THAT(message_of(with("/version", "2.0")), HasSubstr("version"));
  EXPECT_THAT(message_of(with("/extra", 1)), HasSubstr("extra"));
  EXPECT_THAT(message_of(with("/model/type", "WordPice")),
              testing::AllOf(HasSubstr("model.type"), HasSubstr("WordPice")));
  EXPECT_THAT(message_of(with("/model/unk_token", "<unk>")), HasSubstr("model.unk_token"));
  EXPECT_THAT(message_of(with("/model/vocab/hello", 1)), HasSubstr("model.vocab"));
  EXPECT_THAT(message_of(with("/model/vocab/hello", 5)), HasSubstr("model.vocab"));
  EXPECT_THAT(message_of(with("/model/dropout", 0.1)), HasSubstr("dropout"));
  EXPECT_THAT(message_of(with("/normalizer/type", "Precompiled")), HasSubstr("normalizer.type"));
  EXPECT_THAT(message_of(with("/pre_tokenizer/type", "Jieba")), HasSubstr("pre_tokenizer.type"));
  EXPECT_THAT(message_of(with("/added_tokens/0/id", 4)), HasSubstr("[PAD]"));
  EXPECT_THAT(message_of(with("/added_tokens/3/id", 9)), HasSubstr("New York"));
  EXPECT_THAT(message_of(with("/added_tokens/2/id", 6)), HasSubstr("added_tokens"));
  EXPECT_THAT(message_of(with("/added_tokens/2/id", -1)), HasSubstr("added_tokens[2].id"));
  EXPECT_THAT(message_of(with("/added_tokens/2/content", "")),
              HasSubstr("added_tokens[2].content"));
  EXPECT_THAT(message_of(with("/added_tokens/2/content", "[PAD]")), HasSubstr("[PAD]"));
  EXPECT_THAT(message_of(with("/added_tokens/2/special", "no")), HasSubstr("special"));
  EXPECT_THAT(message_of(with("/truncation",
                              {{"max_length", 0}, {"strategy", "LongestFirst"}, {"stride", 0}})),
              HasSubstr("max_length"));
  EXPECT_THAT(message_of(with("/truncation",
                              {{"max_length", 4}, {"strategy", "OnlySecond"}, {"stride", 0}})),
              HasSubstr("strategy"));
}

TEST(Tokenizer, RefusesEveryTruncationOfAFile) {
  for (size_t size = 0; size + 1 < kExample.size(); ++size) {
    EXPECT_NE(message_of(std::string(kExample.substr(0, size))), "accepted") << size;
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
  const Tokenizer tokenizer = example();
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
