#include "heed/inference/text_stream.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/text/builders/bpe_builder.h"

namespace heed::inference {
namespace {

// Every byte is a token, so that most characters come in parts.
std::shared_ptr<const text::Tokenizer> bytes() {
  text::BpeOptions options = text::byte_level_options();
  options.vocab_size = 257;
  return std::make_shared<const text::Tokenizer>(text::BpeBuilder(options).build());
}

struct Streamed {
  std::vector<std::string> parts;
  std::string text;
  bool stopped = false;
};

Streamed stream(const std::string& text, const std::vector<std::string>& stops = {}) {
  const auto tokenizer = bytes();
  TextStream out(tokenizer, stops);
  Streamed result;
  for (const int32_t id : tokenizer->encode_ids(text, text::Surround::kNo)) {
    result.parts.push_back(out.push(id));
    if (out.stopped()) break;
  }
  result.parts.push_back(out.finish());
  for (const std::string& part : result.parts) result.text += part;
  result.stopped = out.stopped();
  return result;
}

TEST(TextStream, CharactersComeWhole) {
  const std::string text = "aä€😀z";
  const Streamed result = stream(text);
  EXPECT_EQ(result.text, text);
  EXPECT_EQ(result.parts,
            (std::vector<std::string>{"a", "", "ä", "", "", "€", "", "", "", "😀", "z", ""}));
}

TEST(TextStream, AStopStringAndWhatFollowsAreLeftOut) {
  const Streamed result = stream("one two END three", {"END", "zzz"});
  EXPECT_EQ(result.text, "one two ");
  EXPECT_TRUE(result.stopped);
}

TEST(TextStream, TheFirstOfSeveralStopsCounts) { EXPECT_EQ(stream("a;b.c", {".", ";"}).text, "a"); }

TEST(TextStream, WhatOnlyBeginsLikeAStopIsHeldBackAndThenReturned) {
  const Streamed result = stream("xENx EN", {"END"});
  EXPECT_EQ(result.text, "xENx EN");
  EXPECT_FALSE(result.stopped);
  EXPECT_EQ(result.parts[1], "");
  EXPECT_EQ(result.parts[2], "");
  EXPECT_EQ(result.parts[3], "ENx");
  EXPECT_EQ(result.parts.back(), "EN");
}

TEST(TextStream, AnUnfinishedCharacterComesOutAtTheEnd) {
  const auto tokenizer = bytes();
  TextStream out(tokenizer);
  const std::vector<int32_t> ids = tokenizer->encode_ids("€", text::Surround::kNo);
  EXPECT_EQ(out.push(ids[0]), "");
  EXPECT_EQ(out.push(ids[1]), "");
  EXPECT_EQ(out.finish(), "\xEF\xBF\xBD");
}

TEST(TextStream, RefusesAnEmptyStop) { EXPECT_THROW(TextStream(bytes(), {""}), UsageError); }

}  // namespace
}  // namespace heed::inference
