#include "heed/cli/watch/held_out.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> inputs_of(const std::vector<std::string>& examples) {
  return held_out(examples, [](const std::string& each) { return HeldOutExample{.input = each}; })
      .inputs;
}

TEST(HeldOut, IsSpreadOverTheExamples) {
  EXPECT_THAT(inputs_of({"a", "b", "c", "d", "e", "f", "g", "h", "i"}), ElementsAre("a", "d", "g"));
  EXPECT_THAT(inputs_of({"a", "b"}), ElementsAre("a", "b"));
  EXPECT_THAT(inputs_of({}), IsEmpty());
}

TEST(HeldOut, PassesOverWhatIsEmptyOrLong) {
  EXPECT_THAT(inputs_of({"", "a", std::string(kLongestShown + 1, 'x'), "b"}),
              ElementsAre("a", "b"));
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
  const HeldOut pieces = held_out_pieces(text, 512);
  ASSERT_EQ(pieces.inputs.size(), 3U);
  for (const std::string& piece : pieces.inputs) {
    EXPECT_TRUE(piece.starts_with("wörter wörter ")) << piece;
    EXPECT_TRUE(piece.ends_with(" wörter")) << piece;
  }
  EXPECT_THAT(held_out_pieces("one two three", 512).inputs, ElementsAre("one two three", "three"));
  EXPECT_THAT(held_out_pieces("", 512).inputs, IsEmpty());
}

TEST(HeldOut, APieceFitsIntoWhatAModelReads) {
  const HeldOut pieces = held_out_pieces("one two three four five six seven", 12);
  EXPECT_THAT(pieces.inputs, ElementsAre("one two", "four five", "six seven"));
  EXPECT_EQ(pieces.about[0].right, "three");
}

TEST(HeldOut, BehindAPieceStandsWhatFollowsIt) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += text_of(i == 0 ? "" : " ", i);
  const HeldOut pieces = held_out_pieces(text, 512);
  ASSERT_EQ(pieces.about.size(), 3U);
  for (size_t i = 0; i < 2; ++i) {
    const std::string both = pieces.inputs[i] + ' ' + pieces.about[i].right;
    EXPECT_NE(text.find(both), std::string::npos) << both;
    EXPECT_GT(pieces.about[i].right.size(), 100U);
  }
  std::string one_word;
  for (int i = 0; i < 100; ++i) one_word += "字";
  EXPECT_EQ(
      held_out_pieces(one_word, 512).inputs[0] + held_out_pieces(one_word, 512).about[0].right,
      one_word);
}

}  // namespace
}  // namespace heed::cli
