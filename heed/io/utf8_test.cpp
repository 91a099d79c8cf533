#include "heed/io/utf8.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace heed {
namespace {

TEST(Utf8, AcceptsTheFirstAndLastOfEachLength) {
  for (const char* text : {"", "a", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000",
                           "\uffff", "\U00010000", "\U0010ffff", "naïve 日本 🙂"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  EXPECT_TRUE(is_utf8(std::string_view("a\0b", 3)));
}

TEST(Utf8, RefusesWhatIsNotWellFormedAndSaysWhere) {
  using namespace std::string_view_literals;
  for (const auto bad :
       {"\x80"sv, "\xbf"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xc2"sv, "\xc2\x41"sv, "\xe0\x9f\xbf"sv,
        "\xe2\x82"sv, "\xed\xa0\x80"sv, "\xed\xbf\xbf"sv, "\xef\xbf"sv, "\xf0\x8f\xbf\xbf"sv,
        "\xf0\x90\x80"sv, "\xf4\x90\x80\x80"sv, "\xf5\x80\x80\x80"sv, "\xff"sv, "\xfe"sv}) {
    EXPECT_FALSE(is_utf8(bad));
    EXPECT_EQ(valid_utf8_prefix("ab\u00e9" + std::string(bad) + "c"), 4u);
  }
}

// The definition, code point by code point: every one of them encodes, and no other sequence of
// two bytes is accepted.
TEST(Utf8, AgreesWithTheDefinitionOnAllPairsOfBytes) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const char bytes[] = {static_cast<char>(first), static_cast<char>(second)};
      const int point = ((first & 0x1f) << 6) | (second & 0x3f);
      const bool pair = (first & 0xe0) == 0xc0 && (second & 0xc0) == 0x80 && point >= 0x80;
      EXPECT_EQ(is_utf8({bytes, 2}), (first < 0x80 && second < 0x80) || pair);
    }
  }
}

TEST(Excerpt, StaysOnOnePrintableLine) {
  EXPECT_EQ(excerpt("caf\u00e9 \"x\" \\"), "\"caf\u00e9 \\\"x\\\" \\\\\"");
  EXPECT_EQ(excerpt("a\n\r\t\x1b[31m\x7f"), R"("a\n\r\t\x1b[31m\x7f")");
  EXPECT_EQ(excerpt("\xff\xc3"), R"("\xff\xc3")");
  EXPECT_EQ(excerpt("\u2028\u202e\u0085\u2066"),
            R"("\xe2\x80\xa8\xe2\x80\xae\xc2\x85\xe2\x81\xa6")");
  EXPECT_EQ(excerpt(""), "\"\"");
  EXPECT_EQ(excerpt(std::string_view("\0", 1)), R"("\x00")");
}

TEST(Excerpt, CutsLongTextBetweenCharacters) {
  EXPECT_EQ(excerpt("abcd", 4), "\"abcd\"");
  EXPECT_EQ(excerpt("abcde", 4), "\"abcd...\"");
  EXPECT_EQ(excerpt("abc\u00e9", 4), "\"abc...\"");
  EXPECT_LT(excerpt(std::string(1 << 20, '\x01')).size(), 300u);
}

TEST(Utf8, EveryCodePointSurvivesUtf8) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    append_utf8(c, text);
    size_t at = 0;
    ASSERT_EQ(next_code_point(text, at), c);
    EXPECT_EQ(at, text.size());
  }
}

TEST(Utf8, CodePointsAreCountedNotBytes) {
  EXPECT_EQ(code_points(""), 0);
  EXPECT_EQ(code_points("a\u00e9\u4e2d\U0001F600e\u0301"), 6);
}

TEST(Utf8, CharactersBeginWhereTheyBegin) {
  std::string begins;
  for (const char byte : std::string("aé中😀")) begins += begins_character(byte) ? 'x' : '.';
  EXPECT_EQ(begins, "xx.x..x...");
}

TEST(Trimmed, TakesWhiteSpaceOfTheEndsAlone) {
  EXPECT_EQ(trimmed("\t two  words\r\n\v\f "), "two  words");
  EXPECT_EQ(trimmed("none"), "none");
  EXPECT_EQ(trimmed(" \n"), "");
  EXPECT_EQ(trimmed(""), "");
  EXPECT_EQ(trimmed("\u00A0é "), "\u00A0é");  // a no-break space stays
}

}  // namespace
}  // namespace heed
