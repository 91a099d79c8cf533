#include "heed/cli/watch/held_out.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace heed::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(HeldOut, IsSpreadOverTheExamples) {
  const std::vector<std::string> nine = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
  EXPECT_THAT(held_out(nine, std::identity()).inputs, ElementsAre("a", "d", "g"));
  const std::vector<std::string> two = {"a", "b"};
  EXPECT_THAT(held_out(two, std::identity()).inputs, ElementsAre("a", "b"));
  EXPECT_THAT(held_out(std::vector<std::string>(), std::identity()).inputs, IsEmpty());
}

TEST(HeldOut, PassesOverWhatIsEmptyOrLong) {
  const std::vector<std::string> some = {"", "a", std::string(kLongestShown + 1, 'x'), "b"};
  EXPECT_THAT(held_out(some, std::identity()).inputs, ElementsAre("a", "b"));
}

TEST(HeldOut, WhatGoesWithAnInputStaysBesideIt) {
  const HeldOut chosen = held_out_of(7, [](size_t i) {
    return HeldOutExample{.input = i == 2 ? "" : std::to_string(i),
                          .about = {.right = "right of " + std::to_string(i)}};
  });
  EXPECT_THAT(chosen.inputs, ElementsAre("0", "3", "4"));
  ASSERT_EQ(chosen.about.size(), 3U);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(chosen.about[i].right, "right of " + chosen.inputs[i]);
  }
}

TEST(HeldOut, PiecesBeginAndEndBetweenWords) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += "wörter ";
  const HeldOut pieces = held_out_pieces(text);
  ASSERT_EQ(pieces.inputs.size(), 3U);
  for (const std::string& piece : pieces.inputs) {
    EXPECT_TRUE(piece.starts_with("wörter wörter ")) << piece;
    EXPECT_TRUE(piece.ends_with(" wörter")) << piece;
  }
  EXPECT_THAT(held_out_pieces("one two three").inputs, ElementsAre("one two three", "three"));
  EXPECT_THAT(held_out_pieces("").inputs, IsEmpty());
}

}  // namespace
}  // namespace heed::cli
