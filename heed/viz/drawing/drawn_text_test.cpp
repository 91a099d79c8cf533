#include "heed/viz/drawing/drawn_text.h"

#include <gtest/gtest.h>

#include <string>

namespace heed {
namespace {

TEST(VizText, LettersOfArabicAreJoined) {
  const Font font{.size = 20};
  const std::string word = "\u0628\u064a\u062a", apart = "\u0628\u200c\u064a\u200c\u062a";
  EXPECT_GT(text_width(word, font), 0);
  EXPECT_LT(text_width(word, font), text_width(apart, font));  // initial, medial and final forms
}

TEST(VizText, SizesFollowTheFont) {
  EXPECT_NEAR(text_width("width", {.size = 20}), 2 * text_width("width", {.size = 10}), 1e-2);
  EXPECT_GT(text_width("width", {.size = 10, .bold = true}), text_width("width", {.size = 10}));
  EXPECT_EQ(text_width("", {}), 0);
}

TEST(VizText, WrapsIntoLines) {
  const Font font{.size = 10};
  const double line = text_height("word", font, 1000);
  const double width = text_width("word word", font) + 1;
  EXPECT_NEAR(text_height("word word word word", font, width), 2 * line, 0.1);
  // A word that is wider than the line is broken.
  EXPECT_GT(text_height(std::string(100, 'w'), font, width), 5 * line);
}

TEST(VizText, PackagesOfFonts) {
  EXPECT_EQ(font_package(U'a'), "fonts-dejavu-core");
  EXPECT_EQ(font_package(U'日'), "fonts-noto-cjk");
  EXPECT_EQ(font_package(U'한'), "fonts-noto-cjk");
  EXPECT_EQ(font_package(U'🙂'), "fonts-noto-color-emoji");
  EXPECT_EQ(font_package(U'ك'), "fonts-noto-core");
  EXPECT_EQ(font_package(U'ह'), "fonts-noto-core");
  EXPECT_EQ(font_package(U'ꀀ'), "fonts-noto-core");  // Yi
}

}  // namespace
}  // namespace heed
