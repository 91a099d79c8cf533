#include "heed/text/characters/unicode.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace heed::text {
namespace {

TEST(Unicode, WhiteSpaceIsThatOfRegularExpressions) {
  std::vector<char32_t> spaces;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (is_white_space(c)) spaces.push_back(c);
  }
  const std::vector<char32_t> expected = {9,      10,     11,     12,     13,     32,     0x85,
                                          0xA0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004,
                                          0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200A, 0x2028,
                                          0x2029, 0x202F, 0x205F, 0x3000};
  EXPECT_EQ(spaces, expected);
}

TEST(Unicode, WordCharactersAreLettersMarksDigitsConnectorsAndJoiners) {
  for (const char32_t c : U"aZ0_éßЖ中あ한\u0301\u0903٣ⅷ\u200D\u203F") {
    if (c != 0) {
      EXPECT_TRUE(is_word_character(c)) << static_cast<uint32_t>(c);
    }
  }
  EXPECT_TRUE(is_word_character(0x10D40));  // a digit of Unicode 16
  for (const char32_t c : U"-.!@½²€😀\u00AD\u200B\uFFFD") {
    EXPECT_FALSE(is_word_character(c)) << static_cast<uint32_t>(c);
  }
}

TEST(Unicode, PunctuationOfUnicode8AndAscii) {
  for (const char32_t c : U"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~«»。、՚\u166D") {
    if (c != 0) {
      EXPECT_TRUE(is_punctuation(c)) << static_cast<uint32_t>(c);
    }
  }
  for (const char32_t c : U"a1 é€©\u2E43") {  // U+2E43 came with Unicode 9
    EXPECT_FALSE(is_punctuation(c)) << static_cast<uint32_t>(c);
  }
}

TEST(Unicode, NumbersMarksAndControls) {
  for (const char32_t c : U"09٣½²Ⅷ") {
    if (c != 0) {
      EXPECT_TRUE(is_numeric(c)) << static_cast<uint32_t>(c);
    }
  }
  EXPECT_FALSE(is_numeric(U'一'));
  EXPECT_TRUE(is_mark(0x301));
  EXPECT_TRUE(is_mark(0x903));
  EXPECT_FALSE(is_nonspacing_mark(0x903));
  EXPECT_TRUE(is_nonspacing_mark(0x301));
  EXPECT_TRUE(is_control(0));
  EXPECT_TRUE(is_control(0x7F));
  EXPECT_TRUE(is_control(0xAD));
  EXPECT_TRUE(is_control(0xE000));
  EXPECT_FALSE(is_control('\t'));
  EXPECT_FALSE(is_control('\n'));
}

TEST(Unicode, LowerCaseIsThatOfOneCharacter) {
  EXPECT_EQ(lower_case('A'), U'a');
  EXPECT_EQ(lower_case('@'), U'@');
  EXPECT_EQ(lower_case(U'Σ'), U'σ');
  EXPECT_EQ(lower_case(U'Ж'), U'ж');
  EXPECT_EQ(lower_case(0x130), U'i');
  EXPECT_EQ(lower_case(0x10D50), static_cast<char32_t>(0x10D70));
  EXPECT_EQ(lower_case(0x16EB8), static_cast<char32_t>(0x16ED3));
}

TEST(Unicode, ChineseCharactersAreNotHiraganaOrHangul) {
  EXPECT_TRUE(is_chinese_character(U'中'));
  EXPECT_TRUE(is_chinese_character(0x20000));
  EXPECT_FALSE(is_chinese_character(U'あ'));
  EXPECT_FALSE(is_chinese_character(U'한'));
  EXPECT_FALSE(is_chinese_character('a'));
}

}  // namespace
}  // namespace heed::text
