#include "heed/io/printable.h"

#include <gtest/gtest.h>

namespace heed {
namespace {

TEST(Printable, LeavesTextAsItIs) {
  for (const char* text : {"", "a b", "naïve 日本語 🙂 \\ \"", "e\u0301"}) {
    EXPECT_EQ(printable(text), text);
    EXPECT_EQ(printable_lines(text), text);
  }
}

TEST(Printable, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("a\x1b[2Jb\x07\x7f"), "a\\x1b[2Jb\\x07\\x7f");
  EXPECT_EQ(printable("a\u009bb"), "a\\xc2\\x9bb");  // one byte of CSI in Latin-1
  EXPECT_EQ(printable("a\u202eb"), "a\\xe2\\x80\\xaeb");
  EXPECT_EQ(printable("a\xff\xc3"), "a\\xff\\xc3");
}

TEST(Printable, OneLineOrSeveral) {
  EXPECT_EQ(printable("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(printable_lines("a\nb\tc\rd"), "a\nb\tc\\rd");
}

}  // namespace
}  // namespace heed
