#include "heed/cli/options/option_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/cli/options/options.h"

namespace heed::cli {
namespace {

using Words = std::vector<std::string>;

// The words as the program hands them to the parser; what it refuses, or nothing.
template <typename Value>
std::string parse(Value& value, Words words, const char* name = "--value") {
  Options options("heed s", "A command");
  options.add(name, value, "A value");
  options.finish();
  try {
    options.parse(std::move(words));
    return "";
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(OptionValues, BracketsAreLetters) {
  for (const Words& expected :
       {Words{"[CLS]", "[SEP]"}, Words{"[a,b]"}, Words{"[]"}, Words{"[x]", "y", "[", "]"}}) {
    Words words = expected, values;
    words.insert(words.begin(), "--value");
    EXPECT_EQ(parse(values, words), "");
    EXPECT_EQ(values, expected);
    EXPECT_EQ(parse(values, expected, "value"), "");  // a positional
    EXPECT_EQ(values, expected);
  }
  Words values;
  EXPECT_EQ(parse(values, {"--value=[a,b]", "--value", "[c]"}), "");
  EXPECT_EQ(values, (Words{"[a,b]", "[c]"}));
}

// A second file would be dropped; a second number changes the first.
TEST(OptionValues, WhatHasNoStandardIsGivenOnce) {
  std::string file, kind = "words";
  EXPECT_THAT(parse(file, {"--value", "a.tsv", "--value", "b.tsv"}),
              testing::HasSubstr("--value: expected one value, got 2"));
  EXPECT_EQ(parse(kind, {"--value", "a", "--value", "b"}), "");
  EXPECT_EQ(kind, "b");
  int64_t number = 1;
  EXPECT_EQ(parse(number, {"--value", "2", "--value", "3"}), "");
  EXPECT_EQ(number, 3);
  Words list;
  EXPECT_EQ(parse(list, {"--value", "a", "--value", "b"}), "");
  EXPECT_EQ(list, (Words{"a", "b"}));
}

TEST(OptionValues, AnEmptyTextBehindEqualsIsEmpty) {
  std::string text = "before";
  EXPECT_EQ(parse(text, {"--value="}), "");
  EXPECT_EQ(text, "");
}

TEST(OptionValues, WholeNumbersAreDecimal) {
  int64_t number = 0;
  EXPECT_EQ(parse(number, {"--value", "010"}), "");
  EXPECT_EQ(number, 10);
  EXPECT_EQ(parse(number, {"--value", "08"}), "");
  EXPECT_EQ(number, 8);
  EXPECT_EQ(parse(number, {"--value", "-7"}), "");
  EXPECT_EQ(number, -7);
  EXPECT_EQ(parse(number, {"--value", "9223372036854775807"}), "");
  EXPECT_EQ(number, INT64_MAX);
  for (const char* bad : {"0x10", "1e3", "1.0", "1_0", "", " 1", "1 ", "+1", "ten", "1,000",
                          "9223372036854775808", "100000000000000000000000"}) {
    EXPECT_THAT(parse(number, {"--value=" + std::string(bad)}),
                testing::HasSubstr("--value: expected a whole number"))
        << bad;
  }
}

TEST(OptionValues, NarrowNumbersDoNotWrap) {
  uint64_t positive = 0;
  EXPECT_NE(parse(positive, {"--value", "-1"}), "");
  EXPECT_EQ(parse(positive, {"--value", "18446744073709551615"}), "");
  EXPECT_EQ(positive, UINT64_MAX);
  EXPECT_NE(parse(positive, {"--value", "18446744073709551616"}), "");
  int32_t narrow = 0;
  EXPECT_NE(parse(narrow, {"--value", "4294967297"}), "");
}

TEST(OptionValues, RealNumbersAreFinite) {
  double number = 0;
  EXPECT_EQ(parse(number, {"--value", "-2.5e-3"}), "");
  EXPECT_EQ(number, -2.5e-3);
  EXPECT_EQ(parse(number, {"--value", "1e-320"}), "");  // a subnormal number is one
  for (const char* bad : {"nan", "NaN", "inf", "-inf", "1e999", "0x1p3", "1e", "one"}) {
    EXPECT_THAT(parse(number, {"--value", bad}), testing::HasSubstr("--value: expected a number"))
        << bad;
  }
}

}  // namespace
}  // namespace heed::cli
