#include "heed/viz/marked_text.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed {
namespace {

TEST(MarkedText, BracketsWithoutColours) {
  EXPECT_EQ(marked_text("Tim Cook visits Paris.", {{0, 8, "person"}, {16, 21, "location"}}, false),
            "[Tim Cook](person) visits [Paris](location).");
  EXPECT_EQ(marked_text("no one", {}, false), "no one");
  EXPECT_EQ(marked_text("", {}, true), "");
}

TEST(MarkedText, ColoursByKind) {
  const std::string text =
      marked_text("ab c d", {{0, 1, "x", 0}, {3, 4, "y", 1}, {5, 6, "x", 0}}, true);
  const auto code = [&](char letter) {
    const size_t at = text.find(std::string("m") + letter + "\x1b[0m");
    EXPECT_NE(at, std::string::npos) << letter;
    const size_t begin = text.rfind("\x1b[48", at);
    return text.substr(begin, at - begin);
  };
  EXPECT_EQ(code('a'), code('d'));
  EXPECT_NE(code('a'), code('c'));
  EXPECT_TRUE(text.ends_with("\x1b[0m"));
}

TEST(MarkedText, ATextWritesNoEscapeCodesOfItsOwn) {
  const std::string text = marked_text("a\x1b[31m b\x07", {{0, 2, "t\x1bx"}}, false);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\x07'), std::string::npos);
}

TEST(MarkedText, PartsMustBeInOrder) {
  EXPECT_THROW(marked_text("abc", {{1, 2, "x"}, {0, 1, "x"}}, false), UsageError);
  EXPECT_THROW(marked_text("abc", {{0, 4, "x"}}, false), UsageError);
  EXPECT_THROW(marked_text("abc", {{1, 1, "x"}}, false), UsageError);
}

}  // namespace
}  // namespace heed
