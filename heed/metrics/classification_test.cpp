#include "heed/metrics/classification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed::metrics {
namespace {

TEST(ConfusionMatrix, ScoresByHand) {
  ConfusionMatrix matrix(3);
  // actual 0: 0 0 1; actual 1: 1; actual 2: 0
  for (const auto& [actual, predicted] : {std::pair(0, 0), {0, 0}, {0, 1}, {1, 1}, {2, 0}}) {
    matrix.add(actual, predicted);
  }
  EXPECT_EQ(matrix.total(), 5);
  EXPECT_EQ(matrix.count(0, 1), 1);
  EXPECT_DOUBLE_EQ(matrix.accuracy(), 0.6);
  EXPECT_DOUBLE_EQ(matrix.of_class(0).precision, 2. / 3);
  EXPECT_DOUBLE_EQ(matrix.of_class(0).recall, 2. / 3);
  EXPECT_DOUBLE_EQ(matrix.of_class(1).precision, 0.5);
  EXPECT_DOUBLE_EQ(matrix.of_class(1).recall, 1);
  EXPECT_DOUBLE_EQ(matrix.of_class(2).f1, 0);
  EXPECT_DOUBLE_EQ(matrix.macro_f1(), (2. / 3 + 2. / 3 + 0) / 3);
  EXPECT_EQ(matrix.per_class()[0].support, 3);
  EXPECT_EQ(ConfusionMatrix(2).accuracy(), 0);
  EXPECT_THROW(matrix.add(3, 0), UsageError);
  EXPECT_THROW(matrix.add(0, -1), UsageError);
  EXPECT_THROW(ConfusionMatrix(0), UsageError);
}

TEST(ConfusionMatrix, Tables) {
  ConfusionMatrix matrix(2);
  matrix.add(0, 0);
  matrix.add(1, 0);
  const std::vector<std::string> labels = {"süß", "sour"};
  EXPECT_EQ(matrix.text(labels),
            "actual \\ predicted     süß    sour\n"
            "süß                      1       0\n"
            "sour                     1       0\n");
  EXPECT_EQ(matrix.report(labels),
            "          precision  recall      f1  support\n"
            "süß          0.5000  1.0000  0.6667        1\n"
            "sour         0.0000  0.0000  0.0000        1\n"
            "macro        0.2500  0.5000  0.3333        2\n"
            "weighted     0.2500  0.5000  0.3333        2\n"
            "accuracy 0.5000\n");
  EXPECT_THROW(matrix.text(std::vector<std::string>{"one"}), UsageError);
}

// A matrix of a million classes would take 8 TB.
TEST(ConfusionMatrix, TakesTheMemoryOfWhatWasCounted) {
  constexpr int64_t kClasses = 1'000'000;
  ConfusionMatrix matrix(kClasses);
  for (const auto& [actual, predicted] : {std::pair(7, 7), {9, 7}, {9, 7}, {999'999, 0}}) {
    matrix.add(actual, predicted);
  }
  EXPECT_EQ(matrix.count(9, 7), 2);
  EXPECT_EQ(matrix.count(7, 9), 0);
  EXPECT_EQ(matrix.cells().size(), 3u);
  EXPECT_DOUBLE_EQ(matrix.accuracy(), 0.25);
  EXPECT_DOUBLE_EQ(matrix.of_class(7).precision, 1. / 3);
  EXPECT_DOUBLE_EQ(matrix.macro_f1(), 0.5 / kClasses);
}

TEST(ConfusionMatrix, OfManyClassesTheTextIsAList) {
  std::vector<std::string> labels;
  for (int i = 0; i < 101; ++i) labels.push_back(std::to_string(i));
  ConfusionMatrix matrix(101);
  for (const auto& [actual, predicted] : {std::pair(3, 3), {5, 4}, {9, 100}, {9, 100}}) {
    matrix.add(actual, predicted);
  }
  EXPECT_EQ(matrix.text(labels),
            "confused most often, of 101 classes\n"
            "  count  actual -> predicted\n"
            "      2  9 -> 100\n"
            "      1  5 -> 4\n");
}

TEST(LabelCounts, MicroMacroAndExact) {
  LabelCounts counts(3);
  using Labels = std::vector<int32_t>;
  counts.add(Labels{0, 1}, Labels{0, 1});
  counts.add(Labels{}, Labels{});
  counts.add(Labels{0}, Labels{1});
  counts.add(Labels{1, 2}, Labels{1});
  EXPECT_DOUBLE_EQ(counts.micro().precision, 3. / 4);
  EXPECT_DOUBLE_EQ(counts.micro().recall, 3. / 5);
  EXPECT_DOUBLE_EQ(counts.micro().f1, 6. / 9);
  EXPECT_DOUBLE_EQ(counts.macro().f1, (2. / 3 + 4. / 5 + 0) / 3);
  EXPECT_DOUBLE_EQ(counts.exact_share(), 0.5);
  EXPECT_EQ(counts.report(std::vector<std::string>{"red", "green", "blue"}),
            "          precision  recall      f1  support\n"
            "red          1.0000  0.5000  0.6667        2\n"
            "green        0.6667  1.0000  0.8000        2\n"
            "blue         0.0000  0.0000  0.0000        1\n"
            "micro        0.7500  0.6000  0.6667        5\n"
            "macro        0.5556  0.5000  0.4889        5\n"
            "weighted     0.6667  0.6000  0.5867        5\n"
            "subset accuracy 0.5000\n");
  EXPECT_THROW(counts.report(std::vector<std::string>{"red"}), UsageError);
  EXPECT_THROW(counts.add(Labels{3}, Labels{}), UsageError);
}

}  // namespace
}  // namespace heed::metrics
