#include "heed/data/texts/question_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "heed/base/error.h"
#include "heed/data/testing/test_data.h"
#include "heed/io/testing/test_files.h"

namespace heed::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(StoryData, QuestionsSeeWhatStandsBeforeThem) {
  const Written write;
  DataReport report;
  const StoryData data = read_stories(write("a",
                                            "1 A b.\n2 Where is A? \tb\t1\n3 C d.\n"
                                            "4 Where?\td,b\t3 1\n1 E f.\n2 Who?\tE\n"),
                                      report);
  EXPECT_TRUE(report.empty()) << report.text();
  ASSERT_EQ(data.questions.size(), 3u);
  EXPECT_EQ(data.questions[0].question, "Where is A?");
  EXPECT_EQ(data.questions[0].answer, "b");
  EXPECT_THAT(data.questions[0].story, ElementsAre("A b."));
  EXPECT_THAT(data.questions[1].story, ElementsAre("A b.", "C d."));
  EXPECT_THAT(data.questions[1].facts, ElementsAre(1u, 0u));
  EXPECT_THAT(data.questions[2].story, ElementsAre("E f."));
  EXPECT_EQ(data.questions[2].line, 6);
}

TEST(StoryData, AnswersThatLookAlikeAreOneAnswer) {
  const Written write;
  DataReport report;
  const StoryData data =
      read_stories(write("a",
                         "1 A b.\n2 Where?\tcaf\u00e9 bar\t1\n3 Where?\tcafe\u0301\u00a0bar \t1\n"
                         "4 Where?\t\u200b\t1\n"),
                   report);
  ASSERT_EQ(data.questions.size(), 2u);
  EXPECT_EQ(data.questions[0].answer, "caf\u00e9 bar");
  EXPECT_EQ(data.questions[1].answer, "caf\u00e9 bar");
  EXPECT_EQ(report.count(ProblemKind::kMissingLabel), 1);  // nothing that can be seen
  EXPECT_EQ(report.count(ProblemKind::kLookAlike), 1);
}

TEST(StoryData, FaultsHaveTheirLine) {
  struct Case {
    std::string content;
    ProblemKind kind;
    std::string message;
  };
  const Case cases[] = {
      {"1 A.\n3 B?\tc\n", ProblemKind::kStoryOrder, "2: expected line 2 of the story, or 1"},
      {"2 A.\n3 B?\tc\n", ProblemKind::kStoryOrder, "1: expected a story that begins with line 1"},
      {"1 A.\n2 B?\tc\t2\n3 B?\tc\n", ProblemKind::kStoryOrder, "2: supporting line 2"},
      {"1 A.\n2 B?\tc\tx\n3 B?\tc\n", ProblemKind::kMalformedRow, "2: expected numbers of"},
      {"A.\n1 B?\tc\n", ProblemKind::kMalformedRow, "1: expected a number, a blank"},
      {"1 A.\n2 B?\t\t1\n3 B?\tc\n", ProblemKind::kMissingLabel, "2: expected a question"},
      {"1 A.\n", ProblemKind::kNoExamples, "expected at least one story"},
  };
  for (const Case& each : cases) {
    const Written write;
    DataReport report;
    read_stories(write("a", each.content), report);
    EXPECT_THAT(only(report, each.kind), HasSubstr(each.message)) << each.content;
  }
}

TEST(StoryData, Babi) {
  if (!std::filesystem::exists(test::shared_data("babi")))
    GTEST_SKIP() << "../shared/data is missing";
  size_t questions = 0;
  for (const auto& file : std::filesystem::directory_iterator(test::shared_data("babi"))) {
    if (!file.path().filename().string().starts_with("qa")) continue;
    DataReport report;
    questions += read_stories(file, report).questions.size();
    EXPECT_TRUE(report.empty()) << report.text();
  }
  EXPECT_EQ(questions, 20000u);
}

TEST(SpanData, DocumentAndLines) {
  const Written write;
  const std::string answers = R"([{"text": "Zürich", "answer_start": 6}])";
  const std::string columns = R"({"text": ["Zürich"], "answer_start": [6]})";
  const std::string rest = R"("context": "Süß, Zürich.", "question": "Wo?", "answers": )";
  const auto document = write("a.json",
                              R"({"version": "1.1", "data": [{"title": "t", "paragraphs": [{
    "context": "Süßes Zürich.", "qas": [{"id": "7", "question": "Wo?", "answers": )" +
                                  answers + R"(}, {"question": "Wer?", "answers": []}]}]}]})");
  DataReport report;
  const SpanData data = read_spans(document, Answers::kRequired, report);
  EXPECT_TRUE(report.empty()) << report.text();
  ASSERT_EQ(data.questions.size(), 2u);
  EXPECT_EQ(data.questions[0].id, "7");
  const SpanAnswer& answer = data.questions[0].answers.at(0);
  EXPECT_EQ(data.contexts[0].substr(answer.range.begin, answer.range.size()), "Zürich");
  EXPECT_THAT(data.questions[1].answers, IsEmpty());

  const std::string context = R"("context": "Süßes Zürich.", "question": "Wo?", "answers": )";
  const SpanData lines =
      read_spans(write("a.jsonl", "{" + context + answers + "}\n{" + context + columns + "}\n"),
                 Answers::kRequired, report);
  EXPECT_TRUE(report.empty()) << report.text();
  EXPECT_EQ(lines.contexts.size(), 1u);  // the same text is kept once
  ASSERT_EQ(lines.questions.size(), 2u);
  EXPECT_EQ(lines.questions[1].answers.at(0).range.begin, answer.range.begin);
  EXPECT_EQ(
      read_spans(write("b.jsonl", R"({"context": "a", "question": "b"})"), Answers::kNone, report)
          .questions.size(),
      1u);
}

TEST(SpanData, ToldByContent) {
  const Written write;
  const std::string question = R"({"context": "In the attic.", "question": "Where?", "answers": )"
                               R"([{"text": "attic", "answer_start": 7}]})";
  const std::string document = R"({"data": [{"paragraphs": [{"context": "In the attic.", "qas": )"
                               R"([{"question": "Where?", "answers": [{"text": "attic", )"
                               R"("answer_start": 7}]}]}]}]})";
  for (const auto& file :
       {write("q.json", question + "\n" + question + "\n"), write("q.txt", question),
        write("q.json", "[" + question + "]"), write("q", "\xEF\xBB\xBF" + document),
        write.compressed("q.json.gz", document), write.compressed("q.ndjson.gz", question)}) {
    DataReport report;
    EXPECT_TRUE(are_spans(file)) << file;
    const SpanData data = read_spans(file, Answers::kRequired, report);
    EXPECT_GE(data.questions.size(), 1u) << file;
    EXPECT_TRUE(report.empty()) << report.text();
  }
  EXPECT_FALSE(are_spans(write("s.json", "1 Mary ran.\n2 Who ran?\tMary\t1\n")));
}

TEST(SpanData, Faults) {
  const Written write;
  const auto line = [](const std::string& answers) {
    return R"({"context": "abc def", "question": "?", "answers": )" + answers + "}";
  };
  const std::string good = line(R"([{"text": "def", "answer_start": 4}])") + "\n";
  for (const char* answers :
       {R"([{"text": "def", "answer_start": 3}])", R"([{"text": "def", "answer_start": 99}])",
        R"([{"text": "", "answer_start": 0}])"}) {
    DataReport report;
    const SpanData data =
        read_spans(write("a.jsonl", good + line(answers)), Answers::kRequired, report);
    EXPECT_THAT(only(report, ProblemKind::kAnswerPlace), HasSubstr("2: expected")) << answers;
    EXPECT_EQ(data.questions.size(), 1u);
  }
  for (const char* answers : {R"([{"text": "def"}])", R"([{"text": "def", "answer_start": -1}])",
                              R"({"text": ["def"], "answer_start": []})", R"("def")"}) {
    DataReport report;
    read_spans(write("a.jsonl", good + line(answers)), Answers::kRequired, report);
    EXPECT_THAT(only(report, ProblemKind::kMalformedRow), HasSubstr("2: ")) << answers;
  }
  DataReport report;
  EXPECT_THAT(test::message_of<DataError>([&] {
                read_spans(write("b.json", R"({"data": [{"paragraphs": [{}]}]})"),
                           Answers::kRequired, report);
              }),
              HasSubstr("data[0].paragraphs[0]"));
}

}  // namespace
}  // namespace heed::data
