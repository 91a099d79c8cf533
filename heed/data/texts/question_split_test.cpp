#include "heed/data/texts/question_split.h"

#include <gtest/gtest.h>

#include <set>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"

namespace heed::data {
namespace {

// `stories` stories of two questions each.
std::string story_text(int stories, const std::string& name) {
  std::string text;
  for (int i = 0; i < stories; ++i) {
    const std::string who = name + std::to_string(i);
    text += "1 " + who + " ran.\n2 Who ran?\t" + who + "\t1\n3 It rained.\n4 Who ran?\t" + who +
            "\t1\n";
  }
  return text;
}

std::string span_text(int texts) {
  std::string text;
  for (int i = 0; i < texts; ++i) {
    const std::string context = "\"context\": \"text " + std::to_string(i) + "\"";
    for (const char* question : {"what", "which"}) {
      text += "{" + context + ", \"question\": \"" + question +
              "\", \"answers\": [{\"text\": \"text\", \"answer_start\": 0}]}\n";
    }
  }
  return text;
}

TEST(QuestionSplit, NoStoryIsOnBothSidesAndEachFileGivesItsShare) {
  const test::Folder folder;
  test::spill(folder / "a.txt", story_text(40, "a"));
  test::spill(folder / "b.txt", story_text(10, "b"));
  DataReport report;
  const StoryTrainingData data = read_story_training(
      {.train = {folder / "a.txt", folder / "b.txt"}, .valid_share = 0.2}, report);
  ASSERT_EQ(data.train.size(), 2U);
  ASSERT_EQ(data.valid.size(), 2U);
  EXPECT_EQ(data.train[0].questions.size(), 64U);
  EXPECT_EQ(data.valid[0].questions.size(), 16U);
  EXPECT_EQ(data.valid[1].questions.size(), 4U);
  std::set<std::string> train;
  for (const auto& each : data.train[0].questions) train.insert(each.answer);
  std::set<std::string> valid;
  for (const auto& each : data.valid[0].questions) valid.insert(each.answer);
  EXPECT_EQ(valid.size(), 8U);
  for (const std::string& each : valid) EXPECT_EQ(train.count(each), 0U) << each;
}

// Of 40 stories 30 are of Mary, 10 of John.
TEST(QuestionSplit, IsDrawnBySeedTheSameOfEachAnswer) {
  const test::Folder folder;
  std::string text;
  for (int i = 0; i < 40; ++i) {
    const std::string who = i % 4 == 0 ? "John" : "Mary";
    text += "1 " + who + " ran.\n2 Who ran?\t" + who + "\t1\n";
  }
  test::spill(folder / "a.txt", text);
  const auto held = [&](uint64_t seed) {
    DataReport report;
    const StoryTrainingData data = read_story_training(
        {.train = {folder / "a.txt"}, .valid_share = 0.2, .seed = seed}, report);
    EXPECT_EQ(report.notes().size(), 1U);
    EXPECT_NE(report.notes()[0].find("8 of 40 questions are held back"), std::string::npos);
    std::vector<int64_t> numbers;
    int john = 0;
    for (const StoryQuestion& each : data.valid[0].questions) {
      numbers.push_back(each.number);
      john += each.answer == "John" ? 1 : 0;
    }
    EXPECT_EQ(john, 2);
    return numbers;
  };
  EXPECT_EQ(held(1), held(1));
  EXPECT_NE(held(1), held(2));
}

TEST(QuestionSplit, MoreAnswersThanAllowedAreRefused) {
  const test::Folder folder;
  test::spill(folder / "a.txt", story_text(40, "a"));
  DataReport report;
  try {
    read_story_training({.train = {folder / "a.txt"}, .limits = {.most_classes = 12}}, report);
    FAIL() << "expected the answers to be refused";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("a.txt:50: more than 12 different answers"),
              std::string::npos)
        << error.what();
  }
}

TEST(QuestionSplit, FilesToValidateOnAreTakenWhole) {
  const test::Folder folder;
  test::spill(folder / "a.txt", story_text(4, "a"));
  test::spill(folder / "b.txt", story_text(3, "b"));
  DataReport report;
  const StoryTrainingData data =
      read_story_training({.train = {folder / "a.txt"}, .valid = {folder / "b.txt"}}, report);
  EXPECT_EQ(data.train[0].questions.size(), 8U);
  ASSERT_EQ(data.valid.size(), 1U);
  EXPECT_EQ(data.valid[0].questions.size(), 6U);
}

TEST(QuestionSplit, TextsOfSeveralFilesStayWithTheirQuestions) {
  const test::Folder folder;
  test::spill(folder / "a.jsonl", span_text(6));
  test::spill(folder / "b.jsonl", span_text(4));
  DataReport report;
  const SpanTrainingData data = read_span_training(
      {.train = {folder / "a.jsonl", folder / "b.jsonl"}, .valid_share = 0.5}, report);
  EXPECT_EQ(data.train.questions.size(), 10U);
  EXPECT_EQ(data.valid.questions.size(), 10U);
  std::set<size_t> train;
  for (const auto& each : data.train.questions) train.insert(each.context);
  for (const auto& each : data.valid.questions) EXPECT_EQ(train.count(each.context), 0U);
  EXPECT_EQ(data.train.contexts.size(), 10U);
  EXPECT_EQ(data.train.contexts[6], "text 0");  // the first of the second file
}

TEST(QuestionSplit, RefusesSidesWithoutQuestionsAndWrongShares) {
  const test::Folder folder;
  test::spill(folder / "a.txt", story_text(4, "a"));
  DataReport report;
  test::spill(folder / "one.txt", story_text(1, "a"));
  EXPECT_THROW(read_story_training({.train = {folder / "one.txt"}, .valid_share = 0.1}, report),
               DataError);
  EXPECT_THROW(read_story_training({.train = {folder / "a.txt"}, .valid_share = 1}, report),
               UsageError);
  EXPECT_THROW(read_story_training({.train = {folder / "no.txt"}}, report), MissingInputError);
  test::spill(folder / "bad.txt", "1 Mary ran.\n3 Who ran?\tMary\n");
  DataReport bad;
  EXPECT_THROW(read_story_training({.train = {folder / "bad.txt"}}, bad), DataError);
}

}  // namespace
}  // namespace heed::data
