#include "heed/cli/options/settings_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "heed/base/error.h"

namespace heed::cli {
namespace {

using testing::HasSubstr;

// A command with an option of each kind.
struct SettingsSample {
  std::string text = "plain";
  std::vector<std::string> list;
  std::vector<std::string> columns;
  int64_t whole = 8;
  double real = 0.001;
  bool truth = true;
  bool flag = false;
  std::optional<double> perhaps;
  std::string out;
  Options options{"heed sample", "A command"};

  SettingsSample() {
    options.add("--text", text, "A text");
    options.add("--list", list, "Texts").repeats();
    options.add("--columns", columns, "Texts, commas between them").separated_by(',');
    options.add("--whole", whole, "A number").range(0, 100);
    options.add("--real", real, "Another");
    options.add("--truth", truth, "Whether");
    options.add("--perhaps", perhaps, "May be there");
    options.add("--out", out, "Needed").required();
    options.flag("--flag", flag, "A flag");
    options.finish();
  }
  void read(const std::string& toml) {
    std::istringstream in(toml);
    read_settings(options, in, "s.toml");
  }
};

// What stands in a settings file that gives these values, read by another.
std::string refusal_of(const std::string& toml) {
  try {
    SettingsSample().read(toml);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

TEST(SettingsFile, EveryTextComesBack) {
  for (const std::string text : {"",
                                 "data #1.tsv",
                                 "two\nlines",
                                 "\t",
                                 "a\"b'c",
                                 "\\t",
                                 "[CLS]",
                                 "[a,b]",
                                 "[]",
                                 "{}x",
                                 "%%",
                                 " blanks ",
                                 "naïve 日本語 🙂",
                                 "\xef\xbb\xbf",
                                 "\x01\x1b[2J\x7f",
                                 "true",
                                 "1_0",
                                 "nan",
                                 "--real",
                                 "a = b",
                                 "'''",
                                 "\"\"\"",
                                 "\r\n",
                                 "# no comment"}) {
    SettingsSample given;
    given.options.parse({"--out", "x", "--text", text, "--list", text});
    SettingsSample read;
    read.read(settings_text(given.options));
    EXPECT_EQ(read.list, (std::vector<std::string>{text}));
    EXPECT_EQ(read.text, text);
    EXPECT_EQ(read.out, "x");
    EXPECT_EQ(settings_text(read.options), settings_text(given.options));
  }
}

TEST(SettingsFile, WhatWasNotGivenStaysAsItIs) {
  const SettingsSample given;
  EXPECT_THAT(settings_text(given.options), HasSubstr("\n#out="));
  EXPECT_THAT(settings_text(given.options), HasSubstr("\n#perhaps="));
  SettingsSample read;
  read.read(settings_text(given.options));
  EXPECT_EQ(read.text, "plain");
  EXPECT_TRUE(read.list.empty());
  EXPECT_EQ(read.whole, 8);
  EXPECT_EQ(read.real, 0.001);
  EXPECT_TRUE(read.truth);
  EXPECT_FALSE(read.flag || read.perhaps.has_value());
}

TEST(SettingsFile, IsToml) {
  SettingsSample sample;
  sample.read(
      "\xef\xbb\xbf# a mark of byte order, and a comment\n"
      "text = \"a # b\\tc\"   # behind\n"
      "list = [\n  'x',\n  \"[y]\",  # one a line\n]\n"
      "whole = 1_0\nreal = 2\ntruth = false\nflag = true\nperhaps = 5e-1\n");
  EXPECT_EQ(sample.text, "a # b\tc");
  EXPECT_EQ(sample.list, (std::vector<std::string>{"x", "[y]"}));
  EXPECT_EQ(sample.whole, 10);
  EXPECT_EQ(sample.real, 2);
  EXPECT_FALSE(sample.truth);
  EXPECT_TRUE(sample.flag);
  EXPECT_EQ(sample.perhaps, 0.5);
}

// toml++ is undefined where such a letter stands behind a \ that ends a line.
TEST(SettingsFile, LettersBeyondAsciiMayStandInEveryText) {
  SettingsSample sample;
  sample.read("text = \"\"\"\\\n  ȝ\\\\ŉ😀\"\"\"\nlist = ['''ȝ\\ŉ''', \"ŉ\"]\n");
  EXPECT_EQ(sample.text, "ȝ\\ŉ😀");
  EXPECT_EQ(sample.list, (std::vector<std::string>{"ȝ\\ŉ", "ŉ"}));
}

// What stands between values on the command line is a part of one in a file, which has lists.
TEST(SettingsFile, AValueIsOneWhateverIsInIt) {
  using Texts = std::vector<std::string>;
  SettingsSample typed;
  typed.options.parse({"--out", "x", "--columns", "a,b"});
  EXPECT_EQ(typed.columns, (Texts{"a", "b"}));
  for (const Texts& columns : {Texts{"a,b"}, Texts{"a,b", "c"}, Texts{",", "[a", "b]"}}) {
    std::string toml;
    for (const std::string& each : columns) toml += '"' + each + "\", ";
    SettingsSample read;
    read.read("columns = [" + toml + "]\n");
    EXPECT_EQ(read.columns, columns);
    SettingsSample again;
    again.read(settings_text(read.options));
    EXPECT_EQ(again.columns, columns);
  }
  SettingsSample one;
  one.read("columns = 'a,b'\n");
  EXPECT_EQ(one.columns, Texts{"a,b"});
}

TEST(SettingsFile, TheCommandLineWins) {
  SettingsSample sample;
  sample.options.parse({"--out", "o", "--whole", "3"});
  sample.read("whole = 9\ntext = 'read'\n");
  EXPECT_EQ(sample.whole, 3);
  EXPECT_EQ(sample.text, "read");
}

TEST(SettingsFile, RefusalsNameTheFileTheLineAndTheSetting) {
  EXPECT_THAT(refusal_of("\ntexts = 'a'\n"),
              testing::AllOf(HasSubstr("s.toml:2: \"texts\""), HasSubstr("did you mean text?")));
  EXPECT_THAT(refusal_of("text = 'a'\n\nwhole = 101\n"), HasSubstr("s.toml:3: \"whole\": "));
  EXPECT_THAT(refusal_of("whole = 1.5\n"), HasSubstr("expected a whole number, got \"1.5\""));
  EXPECT_THAT(refusal_of("real = nan\n"), HasSubstr("expected a number"));
  EXPECT_THAT(refusal_of("real = 'many'\n"), HasSubstr("expected a number, got \"many\""));
  EXPECT_THAT(refusal_of("whole = [1, 2]\n"), HasSubstr("expected one value, got a list"));
  EXPECT_THAT(refusal_of("flag = 'perhaps'\n"), HasSubstr("expected true or false"));
  EXPECT_THAT(refusal_of("text = 2001-01-01\n"), HasSubstr("expected a text, a number"));
  EXPECT_THAT(refusal_of("[model]\nwhole = 1\n"), HasSubstr("s.toml:1: \"model\""));
  EXPECT_THAT(refusal_of("text = 'a'\nwhole = \n"), HasSubstr("s.toml:2: this is not TOML"));
  for (const char* key : {"[ = 1\n", "[[ = ]]\n", "text. = 1\n", "= 1\n", "text = {= 1}\n"}) {
    EXPECT_THAT(refusal_of(key), HasSubstr("s.toml:1: this is not TOML")) << key;
  }
  EXPECT_THAT(refusal_of("text = 'a'\ntext = 'b'\n"), HasSubstr("s.toml:2"));
  EXPECT_THAT(refusal_of("# ȝ\ntext = 'ȝ'\nȝ = 1\n"), HasSubstr("s.toml:3: this is not TOML"));
  for (const char* inside : {"whole = 0~'ȝ'\n", "text = 'a' 'ȝ'\n", "text\"ȝ\" = 1\n"}) {
    EXPECT_THAT(refusal_of(inside), HasSubstr("s.toml:1: this is not TOML: a character")) << inside;
  }
  for (const std::string text : {R"("ȝ\"ȝ")", R"('ȝ\')", R"("""ȝ"ȝ\"""ȝ"""")", R"('''ȝ'ȝ''')"}) {
    EXPECT_EQ(refusal_of("\xEF\xBB\xBFtext = " + text + " # ȝ\nlist = ['ȝ', \"ȝ\"] # ȝ"), "")
        << text;
  }
  EXPECT_THAT(refusal_of("\ntext = '\xff'\n"), HasSubstr("s.toml:2: this is not TOML: bytes that"));
  EXPECT_THAT(refusal_of("text = \"\"\"\n\\ȝ\"\"\"\n"), HasSubstr("s.toml:2: this is not TOML"));
  EXPECT_LT(refusal_of("a" + std::string(100'000, 'b') + " = 1\n").size(), 500U);
}

}  // namespace
}  // namespace heed::cli
