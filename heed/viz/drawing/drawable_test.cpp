#include "heed/viz/drawing/drawable.h"

#include <gtest/gtest.h>

#include <string>

namespace heed {
namespace {

TEST(Drawable, KeepsWellFormedText) {
  for (const std::string text :
       {"", "plain", "naïve", "日本語", "🙂 👩‍🔬", "عربي", "e\u0301"}) {
    EXPECT_EQ(drawable(text), text);
  }
}

TEST(Drawable, ReplacesEachBadByte) {
  EXPECT_EQ(drawable("a\xff\xfe z"), "a\uFFFD\uFFFD z");
  EXPECT_EQ(drawable("\xe6\x97"), "\uFFFD\uFFFD");            // cut short
  EXPECT_EQ(drawable("\xc0\x80"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(drawable("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // a surrogate
}

TEST(Drawable, ShowsWhatWouldOtherwiseBeObeyed) {
  EXPECT_EQ(drawable("a\nb\tc"), "a⏎b⇥c");
  EXPECT_EQ(drawable("\x1b[31mred"), "\uFFFD[31mred");
  EXPECT_EQ(drawable(std::string("\0", 1)), "\uFFFD");
  EXPECT_EQ(drawable("\u009b31m"), "\uFFFD31m");
  EXPECT_EQ(drawable("\u202Eabc"), "\uFFFDabc");
}

TEST(Drawable, ReplacesNoncharacters) {
  EXPECT_EQ(drawable("\xef\xbf\xbe"), "\uFFFD");      // U+FFFE
  EXPECT_EQ(drawable("\xef\xb7\x90"), "\uFFFD");      // U+FDD0
  EXPECT_EQ(drawable("\xf4\x8f\xbf\xbf"), "\uFFFD");  // U+10FFFF
}

TEST(Drawable, ComesBackFromCodePoints) {
  for (const char32_t point : {0x24, 0xA2, 0x20AC, 0x10348}) {
    EXPECT_EQ(drawable_points(utf8_of(std::u32string(1, point))), std::u32string(1, point));
  }
}

TEST(TerminalColumns, FollowEastAsianWidth) {
  EXPECT_EQ(terminal_columns(U'a'), 1);
  EXPECT_EQ(terminal_columns(U'é'), 1);
  EXPECT_EQ(terminal_columns(U'日'), 2);
  EXPECT_EQ(terminal_columns(U'🙂'), 2);
  EXPECT_EQ(terminal_columns(0x0301), 0);
}

}  // namespace
}  // namespace heed
