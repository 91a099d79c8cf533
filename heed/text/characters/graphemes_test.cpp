#include "heed/text/characters/graphemes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "heed/text/characters/base64.h"

namespace heed::text {
namespace {

using testing::ElementsAre;

std::vector<std::string> clusters(const std::string& text) {
  std::vector<std::string> list;
  for (size_t at = 0; at < text.size();) {
    const size_t end = grapheme_end(text, at);
    list.push_back(text.substr(at, end - at));
    at = end;
  }
  return list;
}

TEST(Graphemes, EveryRule) {
  EXPECT_THAT(clusters("ab"), ElementsAre("a", "b"));
  EXPECT_THAT(clusters("\r\n\r\u0301\n"), ElementsAre("\r\n", "\r", "\u0301", "\n"));
  EXPECT_THAT(clusters("e\u0301\u0302x"), ElementsAre("e\u0301\u0302", "x"));
  EXPECT_THAT(clusters("\u1112\u1161\u11ab\uac00\u11a8\uac01\u1161"),
              ElementsAre("\u1112\u1161\u11ab", "\uac00\u11a8", "\uac01", "\u1161"));
  EXPECT_THAT(clusters("\u0915\u0903\u0600a"), ElementsAre("\u0915\u0903", "\u0600a"));
  EXPECT_THAT(clusters("🇩🇪🇫🇷🇮"), ElementsAre("🇩🇪", "🇫🇷", "🇮"));
  EXPECT_THAT(clusters("👨\u200d👩\u200d👧👍🏽x"),
              ElementsAre("👨\u200d👩\u200d👧", "👍🏽", "x"));
  EXPECT_THAT(clusters("a\u200d👩"), ElementsAre("a\u200d", "👩"));
  EXPECT_THAT(clusters("👩\u0301\u200d👩"), ElementsAre("👩\u0301\u200d👩"));
}

TEST(Graphemes, ConsonantsThatALinkerJoins) {
  EXPECT_THAT(clusters("\u0915\u094d\u0937\u0301x"), ElementsAre("\u0915\u094d\u0937\u0301", "x"));
  EXPECT_THAT(clusters("\u0915\u0301\u094d\u200d\u0937"),
              ElementsAre("\u0915\u0301\u094d\u200d\u0937"));
  EXPECT_THAT(clusters("\u0915\u094d\u200c\u0937"), ElementsAre("\u0915\u094d\u200c", "\u0937"));
  EXPECT_THAT(clusters("\u0905\u094d\u0937"), ElementsAre("\u0905\u094d", "\u0937"));
  EXPECT_THAT(clusters("\u0915\u0937"), ElementsAre("\u0915", "\u0937"));
  EXPECT_THAT(clusters("\u0b95\u0bcd\u0b95"), ElementsAre("\u0b95\u0bcd", "\u0b95"));  // Tamil
}

TEST(Graphemes, MarksNewerThanUnicode15) {
  EXPECT_THAT(clusters("\u00a0\u030a\U00010efa"), ElementsAre("\u00a0\u030a\U00010efa"));
  EXPECT_THAT(clusters("a\u0897\u0898"), ElementsAre("a\u0897\u0898"));
  EXPECT_THAT(clusters("a\u1aebb\u1aec"), ElementsAre("a\u1aeb", "b", "\u1aec"));
  EXPECT_THAT(clusters("\U000113d1a\U00011a3aa"), ElementsAre("\U000113d1a", "\U00011a3a", "a"));
}

TEST(Base64, BothWays) {
  for (const std::string& bytes :
       {std::string(), std::string("a"), std::string("ab"), std::string("abc\0\xff\x80", 6)}) {
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  }
  EXPECT_EQ(to_base64("Many hands"), "TWFueSBoYW5kcw==");
  EXPECT_EQ(from_base64("TWE"), std::nullopt);
  EXPECT_EQ(from_base64("TW-="), std::nullopt);
  EXPECT_EQ(from_base64("T==="), std::nullopt);
}

}  // namespace
}  // namespace heed::text
