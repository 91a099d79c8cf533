// Sentences of a text, and the lower case of lower_case.h.
#include "heed/text/words/sentences.h"

#include <gtest/gtest.h>

#include <string>

#include "heed/text/characters/lower_case.h"

namespace heed::text {
namespace {

std::vector<std::string> split(std::string_view text, SentenceBreaks breaks) {
  std::vector<std::string> sentences;
  for (const Span& span : sentences_of(text, breaks)) {
    sentences.emplace_back(text.substr(span.begin, span.size()));
  }
  return sentences;
}

TEST(Sentences, UnicodeRules) {
  using List = std::vector<std::string>;
  EXPECT_EQ(
      split("It cost 3.5 euros. Was it good?  Yes!\n\nA new “line”\n", SentenceBreaks::kUnicode),
      (List{"It cost 3.5 euros.", "Was it good?", "Yes!", "A new “line”"}));
  EXPECT_EQ(split("今日は。元気です。", SentenceBreaks::kUnicode),
            (List{"今日は。", "元気です。"}));
  EXPECT_EQ(split(" One. Two.\n\r\n Three ", SentenceBreaks::kLines), (List{"One. Two.", "Three"}));
  EXPECT_EQ(split("", SentenceBreaks::kUnicode), List{});
  EXPECT_EQ(split(" \n\t\n", SentenceBreaks::kUnicode), List{});
}

TEST(LowerCase, LooksAroundAndMayGrow) {
  EXPECT_EQ(lower_case("ABC xyz 1"), "abc xyz 1");
  EXPECT_EQ(lower_case("ΟΔΟΣ Σ"), "οδος σ");
  EXPECT_EQ(lower_case("İ"), "i̇");
}

}  // namespace
}  // namespace heed::text
