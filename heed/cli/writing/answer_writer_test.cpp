#include "heed/cli/writing/answer_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "heed/base/error.h"

namespace heed::cli {
namespace {

struct Question {
  std::string text;
  std::string where;

  OrderedJson columns() const { return {{"text", text}}; }
};

// The length of each text; of an empty one there is none.
std::vector<Answer> lengths(std::span<const Question> questions) {
  std::vector<Answer> all;
  for (const Question& each : questions) {
    if (each.text.empty()) throw DataError("the text", "expected a letter");
    const size_t length = each.text.size();
    all.push_back({.line = std::to_string(length), .json = {{"length", length}}});
  }
  return all;
}

struct Printed {
  std::string out;
  std::string messages;
  std::string error;
};

Printed asked(const AnswerForm& form, const std::vector<std::string>& texts) {
  std::ostringstream out, messages;
  AnswerWriter answers(form, out, messages);
  std::vector<Question> questions;
  for (const std::string& text : texts) {
    questions.push_back({text, "f:" + std::to_string(questions.size() + 1)});
  }
  answer_all<Question>(questions, lengths, answers);
  Printed printed;
  try {
    answers.finish();
  } catch (const DataError& error) {
    printed.error = error.what();
  }
  return {out.str(), messages.str(), printed.error};
}

TEST(Answers, ComeInOrderInEveryForm) {
  const std::vector<std::string> texts = {"a", "bcd"};
  EXPECT_EQ(asked({}, texts).out, "1\n3\n");
  EXPECT_EQ(asked({.json = true}, texts).out, "{\"length\":1}\n{\"length\":3}\n");
  EXPECT_EQ(asked({.csv = true}, texts).out, "length,where,text\n1,f:1,a\n3,f:2,bcd\n");
  EXPECT_EQ(asked({.columns = {"text", "length"}}, texts).out, "text\tlength\na\t1\nbcd\t3\n");
  EXPECT_EQ(asked({}, texts).error, "");
  EXPECT_EQ(asked({}, {}).out, "");
}

TEST(Answers, OneThatFailsLeavesTheOthers) {
  for (const size_t bad : {0U, 1U, 2U, 4U}) {
    std::vector<std::string> texts(5, "ab");
    texts[bad].clear();
    const Printed lines = asked({}, texts);
    std::string expected;
    for (size_t i = 0; i < 5; ++i) expected += i == bad ? "\n" : "2\n";
    EXPECT_EQ(lines.out, expected);
    const std::string where = "f:" + std::to_string(bad + 1);
    EXPECT_EQ(lines.messages, "heed: " + where + ": the text: expected a letter\n");
    EXPECT_EQ(lines.error, "1 input could not be answered, named above; the others were");
    EXPECT_THAT(asked({.json = true}, texts).out,
                testing::HasSubstr("{\"where\":\"" + where + "\",\"error\":\"the text: "));
  }
}

TEST(Answers, NameAPlaceOnce) {
  std::ostringstream out, messages;
  AnswerWriter answers({.json = true}, out, messages);
  answers.fail("a.wav", {}, "a.wav: expected a sound");
  EXPECT_EQ(messages.str(), "heed: a.wav: expected a sound\n");
  EXPECT_EQ(out.str(), "{\"where\":\"a.wav\",\"error\":\"expected a sound\"}\n");
}

TEST(Answers, MayEndWithinACharacter) {
  std::ostringstream out, messages;
  AnswerWriter answers({.json = true}, out, messages);
  answers.add("f:1", {}, {.json = {{"text", "a\xc3"}}});
  EXPECT_EQ(out.str(), "{\"text\":\"a\xef\xbf\xbd\"}\n");
}

TEST(Answers, ATableHasItsColumnsWhateverFailsFirst) {
  EXPECT_EQ(asked({.csv = true}, {"", "ab"}).out, "length,where,text\n,f:1,\n2,f:2,ab\n");
  EXPECT_EQ(asked({.columns = {"length"}}, {"", "", "ab"}).out, "length\n\n\n2\n");
  EXPECT_EQ(asked({.csv = true}, {""}).out, "where,text\nf:1,\n");
  EXPECT_EQ(asked({.columns = {"length"}}, {""}).out, "");
}

TEST(Answers, SayWhatWasCutOnce) {
  std::ostringstream out, messages;
  AnswerWriter answers({}, out, messages);
  const tasks::CutTexts cut({{.what = "texts", .cut = 1, .all = 2, .limit = "3 tokens"}});
  answers.count_cut(cut);
  answers.count_cut(cut);
  answers.finish();
  EXPECT_EQ(messages.str(),
            "heed: warning: 2 of 4 texts have more than 3 tokens and are cut there\n");
}

TEST(Answers, WhatAnOptionAsksForIsThere) {
  std::ostringstream out, messages;
  AnswerWriter answers({.columns = {"width"}}, out, messages);
  EXPECT_THROW(answers.add("f:1", {}, {.json = {{"length", 1}}}), UsageError);
}

}  // namespace
}  // namespace heed::cli
