#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "heed/base/error.h"
#include "heed/data/texts/classification_data.h"
#include "heed/io/testing/test_files.h"

namespace heed::data {
namespace {

using testing::HasSubstr;

ClassificationData data_of(const std::string& file, std::vector<std::string> labels,
                           std::vector<Example> examples) {
  return {.files = {file}, .label_names = std::move(labels), .examples = std::move(examples)};
}

std::string details(const DataReport& report, ProblemKind kind) {
  std::string all;
  for (const DataProblem& problem : report.examples(kind))
    all += problem.where + ": " + problem.detail;
  return all;
}

TEST(ClassificationChecks, GoodDataHasNoProblem) {
  DataReport report;
  const auto train = data_of("train", {"a", "b"}, {{"x", 0, 1}, {"y", 1, 2}, {"x", 0, 3}});
  check_training_data(train, report);
  check_validation_data(train, data_of("valid", {"a", "b"}, {{"z", 0, 1}, {"w", 1, 2}}), report);
  EXPECT_TRUE(report.empty()) << report.text();
}

TEST(ClassificationChecks, OneClass) {
  DataReport report;
  check_training_data(data_of("train", {"a"}, {{"x", 0, 1}}), report);
  EXPECT_THAT(details(report, ProblemKind::kOneClass), HasSubstr("only \"a\""));
  EXPECT_THROW(report.throw_if_fatal(), DataError);
}

TEST(ClassificationChecks, ClassWithoutExample) {
  DataReport report;
  const auto train = data_of("train", {"a", "b", "c"}, {{"x", 0, 1}, {"y", 2, 2}});
  check_training_data(train, report);
  EXPECT_EQ(details(report, ProblemKind::kEmptyClass),
            "train: expected an example of every class, found none of \"b\"");
  EXPECT_EQ(report.fatal_count(), 1);
  DataReport valid_report;
  check_validation_data(train, data_of("valid", {"a", "b", "c"}, {{"z", 0, 1}}), valid_report);
  EXPECT_EQ(valid_report.count(ProblemKind::kEmptyClassValid), 2);
  EXPECT_EQ(valid_report.fatal_count(), 0);
}

TEST(ClassificationChecks, TextsOfBothFiles) {
  DataReport report;
  const auto train = data_of("train", {"a", "b"}, {{"Good  film .", 0, 1}, {"y", 1, 2}});
  check_validation_data(
      train,
      data_of("valid", {"a", "b"}, {{"z", 0, 1}, {" good film . ", 1, 2}, {"goodfilm .", 0, 3}}),
      report);
  EXPECT_EQ(details(report, ProblemKind::kRepeatedText),
            "valid:2: the same text as train:1: \" good film . \"");
  EXPECT_EQ(report.fatal_count(), 0);
}

TEST(ClassificationChecks, OneTextUnderTwoLabels) {
  DataReport report;
  check_training_data(data_of("train", {"a", "b"}, {{"x", 0, 1}, {"y", 1, 2}, {"X", 1, 3}}),
                      report);
  EXPECT_EQ(details(report, ProblemKind::kTwoLabels),
            "train:3: labelled \"b\" here and \"a\" in line 1: \"X\"");
}

class TrainingDataTest : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, std::string_view content) const {
    test::spill(folder_ / name, content);
    return folder_ / name;
  }

  test::Folder folder_;
  DataReport report_;
};

TEST_F(TrainingDataTest, BothFilesHaveTheLabelsOfTraining) {
  const TrainingData data = read_training_data({.train = {write("train.txt", "2 a\n1 b\n3 c\n")},
                                                .valid = {write("valid.txt", "3 x\n1 y\n")}},
                                               {}, report_);
  EXPECT_THAT(data.valid->label_names, testing::ElementsAre("1", "2", "3"));
  EXPECT_EQ(data.valid->examples[0].label, 2);
  EXPECT_EQ(report_.warning_count(), 1);  // no example of 2
  EXPECT_THAT(report_.text(), HasSubstr("warning: class without a validation example: 1 place"));
}

TEST_F(TrainingDataTest, WithoutValidation) {
  const TrainingData data =
      read_training_data({.train = {write("train.txt", "2 a\n1 b\n")}}, {}, report_);
  EXPECT_FALSE(data.valid.has_value());
}

TEST_F(TrainingDataTest, HoldsBackAShareOfEachClass) {
  std::string rows;
  for (int i = 0; i < 300; ++i) {
    rows += text_of(i % 3 == 0 ? "rare" : "often", "\ttext ", i % 100, "\n");  // each three times
  }
  const TrainingFiles files = {.train = {write("train.tsv", rows)}, .valid_share = 0.2, .seed = 7};
  const TrainingData data = read_training_data(files, {}, report_);
  ASSERT_TRUE(data.valid.has_value());
  EXPECT_EQ(data.train.examples.size() + data.valid->examples.size(), 300u);
  EXPECT_NEAR(static_cast<double>(data.valid->examples.size()), 60, 3);
  EXPECT_EQ(report_.count(ProblemKind::kRepeatedText), 0);  // the same text is on one side
  EXPECT_EQ(report_.count(ProblemKind::kEmptyClassValid), 0);
  EXPECT_THAT(report_.notes(), testing::Contains(HasSubstr("held back")));
  DataReport again;
  const TrainingData same = read_training_data(files, {}, again);
  EXPECT_EQ(same.valid->examples.at(5).line, data.valid->examples.at(5).line);
}

TEST_F(TrainingDataTest, OneErrorListsWhatIsFatalInBoth) {
  const auto train = write("train.txt", "2 a\n1 b\xFF\n1 c\n\n d\n");
  const auto valid = write("valid.txt", "3 x\n1 a\n");
  try {
    read_training_data({.train = {train}, .valid = {valid}}, {}, report_);
    FAIL() << "accepted";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("error: not UTF-8: 1 place\n  " + train.string() + ":2: "));
    EXPECT_THAT(error.what(),
                HasSubstr("error: missing label: 1 place\n  " + train.string() + ":5: "));
    EXPECT_THAT(error.what(),
                HasSubstr("error: unknown label: 1 place\n  " + valid.string() + ":1: "));
    EXPECT_THAT(error.what(), HasSubstr("warning: validation text also in the training data"));
  }
}

TEST_F(TrainingDataTest, RefusesStandardInputTwice) {
  EXPECT_THROW(read_training_data({.train = {"-"}, .valid = {"-"}}, {}, report_), UsageError);
}

}  // namespace
}  // namespace heed::data
