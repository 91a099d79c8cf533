// classification_data.h: any number of labels a text, and texts that are arrays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/data/testing/test_data.h"
#include "heed/data/texts/classification_data.h"

namespace heed::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(SeveralLabels, SeparatorsAndArrays) {
  const Written write;
  for (const auto& file :
       {write("a.tsv", "text\tlabel\nx\tb, a,b\ny\t\nz\tc\n"),
        write("a.jsonl",
              "{\"text\":\"x\",\"label\":[\"b\",\"a\",\"b\"]}\n"
              "{\"text\":\"y\",\"label\":[]}\n{\"text\":\"z\",\"label\":\"c\"}\n")}) {
    DataReport report;
    const ClassificationData data = read_classification(file, {.label_separator = ","}, report);
    check_training_data(data, report);
    EXPECT_TRUE(report.empty()) << report.text();
    EXPECT_THAT(data.label_names, ElementsAre("a", "b", "c"));
    ASSERT_EQ(data.examples.size(), 3u);
    EXPECT_THAT(data.examples[0].labels, ElementsAre(0, 1));
    EXPECT_THAT(data.examples[1].labels, IsEmpty());
    EXPECT_THAT(data.examples[2].labels, ElementsAre(2));
    EXPECT_FALSE(data.examples[0].label.has_value());
  }
  DataReport report;
  const ClassificationData known =
      read_classification(write("b.tsv", "text\tlabel\nx\tb,a\ny\tb;q\nz\ta,q\n"),
                          {.label_names = {"b", "a"}, .label_separator = ","}, report);
  EXPECT_EQ(report.count(ProblemKind::kUnknownLabel), 2);
  ASSERT_EQ(known.examples.size(), 1u);
  EXPECT_THAT(known.examples[0].labels, ElementsAre(0, 1));
}

// An array has its labels apart; only a cell is taken apart at the separator.
TEST(SeveralLabels, ArraysAreNotSplitAgain) {
  const Written write;
  const std::string lines =
      "{\"label\": [\"Action, Adventure\", \"Drama\"], \"text\": \"x y\"}\n"
      "{\"label\": [\"Other (a;b)\"], \"text\": \"q\"}\n";
  for (const char* separator : {",", ";"}) {
    DataReport report;
    const ClassificationData data =
        read_classification(write("a.jsonl", lines), {.label_separator = separator}, report);
    EXPECT_THAT(data.label_names, ElementsAre("Action, Adventure", "Drama", "Other (a;b)"));
    EXPECT_TRUE(report.empty()) << report.text();
  }
}

TEST(SeveralLabels, DocumentsMayBeArraysOfSentences) {
  const Written write;
  DataReport report;
  const ClassificationData data = read_classification(
      write("a.jsonl", "{\"text\":[\"One.\",\"Two.\"],\"label\":1}\n{\"text\":[2],\"label\":1}\n"),
      {}, report);
  EXPECT_EQ(data.examples.at(0).text, "One.\nTwo.");
  EXPECT_THAT(only(report, ProblemKind::kMissingText), HasSubstr("2: expected a string"));
}

}  // namespace
}  // namespace heed::data
