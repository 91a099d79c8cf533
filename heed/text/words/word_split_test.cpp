#include "heed/text/words/word_split.h"

#include <gtest/gtest.h>

#include <string>

#include "heed/base/error.h"

namespace heed::text {
namespace {

std::vector<std::string> texts(std::string_view text, const std::vector<Span>& spans) {
  std::vector<std::string> words;
  for (const Span& span : spans) words.emplace_back(text.substr(span.begin, span.size()));
  return words;
}

std::vector<std::string> words(std::string_view text) { return texts(text, split_words(text)); }
using Words = std::vector<std::string>;

TEST(WordSplit, PunctuationStandsAlone) {
  EXPECT_EQ(words("Tim Cook, of Apple (U.S.)."),
            (Words{"Tim", "Cook", ",", "of", "Apple", "(", "U.S.", ")", "."}));
  EXPECT_EQ(words("wait... what?!  no!!!"), (Words{"wait", "...", "what", "?", "!", "no", "!!!"}));
}

TEST(WordSplit, ShortFormsAreTwoWords) {
  EXPECT_EQ(words("It's Tom's; I don't, we’ll"),
            (Words{"It", "'s", "Tom", "'s", ";", "I", "do", "n't", ",", "we", "’ll"}));
  EXPECT_EQ(words("o'clock"), (Words{"o", "'", "clock"}));
}

TEST(WordSplit, WhatIsWrittenOnline) {
  EXPECT_EQ(words("@tim_c #fun2 https://t.co/a?b=1 www.x.org :) <3 a@b"),
            (Words{"@tim_c", "#fun2", "https://t.co/a?b=1", "www.x.org", ":)", "<3", "a", "@b"}));
  EXPECT_EQ(words("5pm 1,000.50 12:30 AT&T well-known"),
            (Words{"5pm", "1,000.50", "12:30", "AT&T", "well-known"}));
}

TEST(WordSplit, NothingButWhiteSpaceIsLost) {
  const std::string text = "a\u00a0\u3000 東京タワー, “naïve” +-*/ \\ é\u0301x …";
  std::string joined;
  for (const std::string& word : words(text)) joined += word;
  EXPECT_EQ(joined, "a東京タワー,“naïve”+-*/\\é\u0301x…");
  EXPECT_TRUE(words("").empty());
  EXPECT_TRUE(words(" \t\n").empty());
}

TEST(WordSplit, OnlyUtf8) { EXPECT_THROW(split_words("a\xff"), DataError); }

}  // namespace
}  // namespace heed::text
