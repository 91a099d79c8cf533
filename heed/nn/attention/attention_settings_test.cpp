#include "heed/nn/attention/attention_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed::nn {
namespace {

std::string message_of(const AttentionSettings& settings, const HeadSizes& sizes = {8, 16}) {
  try {
    check(settings, sizes);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

std::string pattern_error(const char* text) {
  try {
    pattern_from(text);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(PatternText, IsReadAndWrittenBack) {
  for (const char* text :
       {"full", "causal", "window:64:64", "window:-1:0", "dilated:8:8:2", "global:4",
        "window:64:64|global:2", "causal&window:3:0|global:1", "causal&(window:3:0|global:1)",
        "window:1:1|global:1|dilated:2:2:4", "causal_top_left"}) {
    EXPECT_EQ(text_of_pattern(pattern_from(text)), text);
  }
  EXPECT_EQ(text_of_pattern(pattern_from(" window:1:2 | ( global_tokens:3 ) ")),
            "window:1:2|global:3");
  EXPECT_TRUE(pattern_from("full").is_full());
  EXPECT_TRUE(pattern_from("full|window:1:1").is_full());
}

TEST(PatternText, AndBindsCloserThanOr) {
  EXPECT_EQ(
      pattern_from("causal&window:3:0|global:1").description(),
      ((Pattern::causal() & Pattern::window({.left = 3, .right = 0})) | Pattern::global_tokens(1))
          .description());
}

TEST(PatternText, SaysWhereItIsWrong) {
  using testing::HasSubstr;
  EXPECT_THAT(pattern_error("windy:1:2"),
              HasSubstr("at character 1: expected one of full, causal"));
  EXPECT_THAT(pattern_error("windy:1:2"), HasSubstr("dilated:left:right:dilation"));
  EXPECT_THAT(pattern_error("window:64"),
              HasSubstr("at character 10: expected ':right' of window:left:right, got the end"));
  EXPECT_THAT(pattern_error("window:a:2"), HasSubstr("expected a whole number, 'left'"));
  EXPECT_THAT(pattern_error("causal&"), HasSubstr("got the end"));
  EXPECT_THAT(pattern_error("(causal"), HasSubstr("expected a closing bracket"));
  EXPECT_THAT(pattern_error("causal window:1:2"), HasSubstr("expected & or |, got 'window:1:2'"));
  EXPECT_THAT(pattern_error("padded"), HasSubstr("expected one of"));  // it has tensors
  EXPECT_THAT(pattern_error("window:-2:0"), HasSubstr("0 or more"));
  EXPECT_THAT(pattern_error("window:99999999999999999999:0"), HasSubstr("a whole number"));
  EXPECT_THAT(pattern_error(""), HasSubstr("got the end"));
}

TEST(AttentionSettings, SaysWhichFieldCannotBeUsed) {
  using testing::HasSubstr;
  EXPECT_EQ(message_of({}), "");
  EXPECT_EQ(message_of({.score = "additive",
                        .pattern = "window:8:8|global:1",
                        .positions = "rotary",
                        .softcap = 30,
                        .key_heads = 2}),
            "");
  EXPECT_THAT(message_of({.score = "cosin"}), HasSubstr("scaled_dot, dot, cosine, additive"));
  EXPECT_THAT(message_of({.pattern = "widow"}), HasSubstr("pattern 'widow'"));
  EXPECT_EQ(message_of({.positions = "rotatory"}),
            "positions: expected one of none, sinusoidal, learned, rotary, alibi, relative, got "
            "'rotatory'");
  EXPECT_THAT(message_of({.softcap = -1}), HasSubstr("softcap: expected 0 (none)"));
  EXPECT_EQ(message_of({.key_heads = 3}), "key_heads: expected a divisor of the 8 heads, got 3");
  EXPECT_THAT(message_of({.key_heads = -1}), HasSubstr("key_heads"));
  EXPECT_THAT(message_of({.positions = "rotary"}, {8, 15}), HasSubstr("must be even, got 15"));
  EXPECT_THAT(message_of({.rotary_base = 1}), HasSubstr("rotary_base"));
  EXPECT_THAT(message_of({.relative_reach = 0}), HasSubstr("relative_reach"));
}

}  // namespace
}  // namespace heed::nn
