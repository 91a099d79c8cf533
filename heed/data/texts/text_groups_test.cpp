#include "heed/data/texts/text_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/data/testing/test_data.h"
#include "heed/io/testing/test_files.h"

namespace heed::data {
namespace {

using test::message_of;
using testing::HasSubstr;

TEST(TextGroups, ColumnsByNameOrInOrder) {
  const Written write;
  for (const auto& file :
       {write("a.tsv", "a question\tan answer\tnot one\nb\tc\td\n"),
        write("b.tsv", "negative\tid\tpositive\tanchor\nnot one\t7\tan answer\ta question\n"),
        write("c.jsonl",
              "{\"query\": \"a question\", \"passage\": \"an answer\", \"negative\": \"not "
              "one\"}\n")}) {
    DataReport report;
    const TextGroups data = read_text_groups({file}, {}, report);
    EXPECT_TRUE(report.empty()) << report.text();
    EXPECT_FALSE(data.judged);
    EXPECT_EQ(data.groups.at(0).anchor, "a question") << file;
    EXPECT_EQ(data.groups.at(0).positive, "an answer") << file;
    EXPECT_EQ(data.groups.at(0).negative, "not one") << file;
  }
}

TEST(TextGroups, AThirdColumnOfNumbersIsAScore) {
  const Written write;
  for (const auto& file :
       {write("a.tsv", "one\ttwo\t4.5\nthree\tfour\t-1e1\n"),
        write("b.csv", "sentence1,sentence2,score\none,two,4.5\nthree,four,-10\n"),
        write("c.jsonl",
              "{\"text1\": \"one\", \"text2\": \"two\", \"score\": 4.5}\n"
              "{\"text1\": \"3\", \"text2\": \"4\", \"score\": -10}\n")}) {
    DataReport report;
    const TextGroups data = read_text_groups({file}, {}, report);
    EXPECT_TRUE(data.judged);
    ASSERT_EQ(data.groups.size(), 2u) << file;
    EXPECT_EQ(data.groups[0].score, 4.5);
    EXPECT_EQ(data.groups[1].score, -10);
  }
}

TEST(TextGroups, SaysWhatCannotBeUsed) {
  const Written write;
  DataReport report;
  const auto file =
      write("a.tsv", "one\ttwo\t1\n \ttwo\t1\none\ttwo\thigh\none\ttwo\none\ttwo\t2\n");
  EXPECT_EQ(read_text_groups({file}, {}, report).groups.size(), 2u);
  EXPECT_EQ(report.count(ProblemKind::kEmptyText), 1);
  EXPECT_EQ(report.count(ProblemKind::kMalformedRow), 1);
  EXPECT_EQ(report.count(ProblemKind::kColumnCount), 1);
  DataReport other;
  EXPECT_THAT(message_of<UsageError>([&] {
                read_text_groups({file, write("b.tsv", "one\ttwo\na\tb\n")}, {}, other);
              }),
              HasSubstr("a score in all rows or in none"));
  EXPECT_THROW(read_text_groups({write("c.txt", "one\n")}, {}, other), UsageError);
}

TEST(TextGroups, AnAnchorStaysOnOneSide) {
  const Written write;
  std::string text;
  for (int i = 0; i < 40; ++i) {
    text += "anchor " + std::to_string(i % 10) + "\tpositive " + std::to_string(i) + "\n";
  }
  DataReport report;
  TextGroups train = read_text_groups({write("a.tsv", text)}, {}, report);
  const TextGroups valid = take_validation(train, 0.3, 1, report);
  EXPECT_EQ(train.groups.size() + valid.groups.size(), 40u);
  EXPECT_EQ(valid.groups.size() % 4, 0u);
  EXPECT_GT(valid.groups.size(), 0u);
}

}  // namespace
}  // namespace heed::data
