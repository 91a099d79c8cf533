#include "heed/data/texts/text_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/data/testing/test_data.h"
#include "heed/io/testing/test_files.h"

namespace heed::data {
namespace {

TEST(TextData, SplitByShareOrBySecondFile) {
  const Written write;
  DataReport report;
  const TextData share = read_text({{write("a", "äöü\r\n12345")}}, {.valid_share = 0.3}, report);
  EXPECT_EQ(share.train, "äöü\n123");
  EXPECT_EQ(share.valid, "45\n");
  const TextData all = read_text({{write("a", "ab\n")}}, {.valid_share = 0}, report);
  EXPECT_EQ(all.train, "ab\n");
  EXPECT_EQ(all.valid, "");
  const TextData two =
      read_text({{write("a", "ab\n"), write("b", "cd")}, {write("c", "e")}}, {}, report);
  EXPECT_EQ(two.train, "ab\ncd\n");
  EXPECT_EQ(two.valid, "e\n");
  EXPECT_TRUE(report.empty()) << report.text();
  read_text({{write("a", "")}}, {}, report);
  EXPECT_GE(report.count(ProblemKind::kNoExamples), 1);
  EXPECT_THROW(read_text({}, {}, report), UsageError);
  EXPECT_THROW(read_text({{write("a", "x")}}, {.valid_share = 1}, report), UsageError);
}

TEST(TextData, TinyShakespeare) {
  if (!std::filesystem::exists(test::shared_data("tinyshakespeare"))) {
    GTEST_SKIP() << "../shared/data is missing";
  }
  DataReport report;
  const TextData data = read_text({{test::shared_data("tinyshakespeare/input.txt")}}, {}, report);
  EXPECT_EQ(data.train.size(), 1003854u);  // as nanoGPT's
  EXPECT_EQ(data.valid.size(), 111540u);
}

// text8 is one line of 100 MB.
TEST(TextData, ALineMayBeOfAnyLength) {
  const Written write;
  DataReport report;
  const std::string text(20 << 20, 'a');
  EXPECT_EQ(read_text({.train = {write("a", text)}}, {.valid_share = 0}, report).train.size(),
            text.size() + 1);
  EXPECT_TRUE(report.empty());
  read_text({.train = {write("a", text)}}, {.limits = {.most_bytes = 1 << 20}}, report);
  ASSERT_EQ(report.examples(ProblemKind::kMalformedRow).size(), 1U);
  EXPECT_TRUE(report.examples(ProblemKind::kMalformedRow)[0].detail.starts_with(
      "the line is longer than 262144 bytes"));
  EXPECT_THAT(report.notes(), testing::ElementsAre(testing::HasSubstr("a quarter of max_bytes")));
}

}  // namespace
}  // namespace heed::data
