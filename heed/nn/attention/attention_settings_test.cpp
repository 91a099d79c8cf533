#include "heed/nn/attention/attention_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

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

// Long and deep texts are refused before they use up memory or the stack, in a short line.
TEST(PatternText, IsNotEndless) {
  using testing::HasSubstr;
  std::string chain = "full";
  for (int i = 0; i < 50000; ++i) chain += "&full";
  const std::string brackets(5000, '(');
  const std::string both = brackets + "full" + std::string(5000, ')');
  const std::string unknown(100000, 'x');
  for (const std::string& text : {chain, brackets, both, unknown}) {
    const std::string message = pattern_error(text.c_str());
    EXPECT_THAT(message, HasSubstr("expected"));
    EXPECT_LT(message.size(), 800);
  }
  EXPECT_THAT(pattern_error(chain.c_str()), HasSubstr("expected at most 256 names"));
  EXPECT_THAT(pattern_error(both.c_str()), HasSubstr("expected at most 256 brackets"));
  std::string many = "causal";
  for (int i = 0; i < 255; ++i) many += i % 2 == 0 ? "|window:1:1" : "|global:2";
  EXPECT_EQ(text_of_pattern(pattern_from(many)), many);
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
                        .num_key_value_heads = 2}),
            "");
  EXPECT_THAT(message_of({.score = "cosin"}), HasSubstr("scaled_dot, dot, cosine, additive"));
  EXPECT_THAT(message_of({.pattern = "widow"}), HasSubstr("pattern 'widow'"));
  EXPECT_EQ(message_of({.positions = "rotatory"}),
            "positions: expected one of none, sinusoidal, learned, rotary, alibi, relative, got "
            "'rotatory'");
  for (const double softcap : {-1.0, 1e-39, std::nan("")}) {
    EXPECT_THAT(message_of({.softcap = softcap}), HasSubstr("softcap: expected 0 (none)"));
  }
  EXPECT_EQ(message_of({.num_key_value_heads = 3}),
            "num_key_value_heads: expected a divisor of the 8 heads, got 3");
  EXPECT_THAT(message_of({.num_key_value_heads = -1}), HasSubstr("num_key_value_heads"));
  EXPECT_THAT(message_of({.positions = "rotary"}, {8, 15}), HasSubstr("must be even, got 15"));
  EXPECT_THAT(message_of({.rope_theta = 1}), HasSubstr("rope_theta"));
  EXPECT_THAT(message_of({.max_relative_positions = 0}), HasSubstr("max_relative_positions"));
}

}  // namespace
}  // namespace heed::nn
