#include "heed/data/data_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "heed/base/error.h"

namespace heed::data {
namespace {

TEST(DataReport, CountsAllAndKeepsTheFirst) {
  DataReport report;
  EXPECT_TRUE(report.empty());
  EXPECT_EQ(report.text(), "");
  for (int64_t line = 1; line <= 8; ++line) report.add(ProblemKind::kEmptyText, "f", line, "x");
  EXPECT_EQ(report.count(ProblemKind::kEmptyText), 8);
  EXPECT_EQ(report.examples(ProblemKind::kEmptyText).size(), 5u);
  EXPECT_EQ(report.examples(ProblemKind::kEmptyText)[4].where, "f:5");
  EXPECT_EQ(report.warning_count(), 8);
  EXPECT_NO_THROW(report.throw_if_fatal());
  EXPECT_EQ(report.text(),
            "warning: empty text: 8 places\n  f:1: x\n  f:2: x\n  f:3: x\n  f:4: x\n  f:5: x\n"
            "  and 3 more\n");
}

TEST(DataReport, ErrorsComeFirstAndAreThrown) {
  DataReport report;
  report.add(ProblemKind::kRepeatedText, "valid", 2, "y");
  report.add(ProblemKind::kNoExamples, "train", 0, "z");
  EXPECT_EQ(report.fatal_count(), 1);
  try {
    report.throw_if_fatal();
    FAIL();
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(),
                 "the data cannot be used:\nerror: no examples: 1 place\n  train: z\n"
                 "warning: validation text also in the training data: 1 place\n  valid:2: y");
  }
}

// docs/data.md holds a row "| NAME | fatal or warning | ..." for every kind, and no other.
TEST(DataReport, TheDocumentedRuleIsTheRule) {
  std::ifstream file("docs/data.md");
  ASSERT_TRUE(file) << "run in the root of the repository";
  std::stringstream page;
  page << file.rdbuf();
  for (int i = 0; i < kProblemKinds; ++i) {
    const auto kind = static_cast<ProblemKind>(i);
    const std::string row =
        "| " + std::string(name_of(kind)) +
        (severity_of(kind) == ProblemSeverity::kFatal ? " | fatal |" : " | warning |");
    EXPECT_THAT(page.str(), testing::HasSubstr(row));
  }
}

}  // namespace
}  // namespace heed::data
