#include "heed/data/tables/table_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/data/testing/test_data.h"

namespace heed::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kPeople =
    "age,job,income\n"
    "39,clerk,low\n"
    "50,?,high\n"
    ",smith,low\n"
    "28.5,clerk,high\n";

class Tables : public ::testing::Test {
 protected:
  TableData read(const std::string& text, TableReadOptions options = {.target = "income"}) {
    return read_table({written_("table.csv", text)}, options, report_);
  }

  Written written_;
  DataReport report_;
};

TEST_F(Tables, HoldNumbersCategoriesAndGaps) {
  const TableData data = read(kPeople);
  EXPECT_TRUE(report_.empty()) << report_.text();
  ASSERT_EQ(data.columns.size(), 2u);
  EXPECT_EQ(data.columns[0].name, "age");
  EXPECT_FALSE(data.columns[0].is_category);
  EXPECT_EQ(data.columns[0].numbers[3], 28.5);
  EXPECT_TRUE(std::isnan(data.columns[0].numbers[2]));
  EXPECT_TRUE(data.columns[1].is_category);
  EXPECT_THAT(data.columns[1].names, ElementsAre("clerk", "smith"));
  EXPECT_THAT(data.columns[1].categories, ElementsAre(0, -1, 1, 0));
  EXPECT_TRUE(data.target->is_category);
  EXPECT_THAT(data.target->names, ElementsAre("high", "low"));
  EXPECT_THAT(data.target->categories, ElementsAre(1, 0, 1, 0));
  EXPECT_THAT(data.where(2), HasSubstr("table.csv:4"));
}

TEST_F(Tables, NeedNoHeader) {
  const TableData data = read("1.5,a,7\n2,b,9\n3,a,8\n", {.target = "3"});
  EXPECT_EQ(data.rows(), 3);
  EXPECT_EQ(data.target->name, "column 3");
  EXPECT_THAT(data.target->numbers, ElementsAre(7, 9, 8));
  EXPECT_EQ(data.columns[1].name, "column 2");
}

TEST_F(Tables, TheRowsTellTheDelimiter) {
  const TableData data = read("size (m;cm),town,income\n1.5,a,7\n2,b,9\n");
  EXPECT_TRUE(report_.empty()) << report_.text();
  EXPECT_EQ(data.columns.at(0).name, "size (m;cm)");
  EXPECT_EQ(read("size,town;income\n1.5;7\n2;9\n").columns.at(0).name, "size,town");
}

TEST_F(Tables, KindsOfTargetsAreToldOrSaid) {
  std::string text = "x,y\n";
  for (int i = 0; i < 30; ++i) text += text_of(i * i, ',', i % 3, '\n');
  EXPECT_TRUE(read(text, {.target = "y"}).target->is_category);
  EXPECT_FALSE(read(text, {.target = "y", .target_kind = TargetKind::kNumber}).target->is_category);
  EXPECT_FALSE(read(text, {.target = "x"}).target->is_category);
}

TEST_F(Tables, WhatTellsNothingIsLeftOutAndNoted) {
  std::string text = "id,name,city,same,empty,x,y\n";
  for (int i = 0; i < 30; ++i) {
    text += text_of(i + 1, ",n", i, ",c", i % 2, ",7,,", i * i, ',', i % 2, '\n');
  }
  const TableData data = read(text, {.target = "y", .categories = {"name"}});
  ASSERT_EQ(data.columns.size(), 3u);
  EXPECT_EQ(data.columns[0].name, "name");
  EXPECT_EQ(data.columns[1].name, "city");
  ASSERT_EQ(data.notes.size(), 3u);
  EXPECT_THAT(data.notes[0], HasSubstr("\"id\" counts the rows"));
  EXPECT_THAT(data.notes[1], HasSubstr("\"same\" has the same value"));
  EXPECT_THAT(data.notes[2], HasSubstr("\"empty\" has no cell"));
  EXPECT_THAT(read(text, {.target = "y"}).notes[1], HasSubstr("\"name\" has 30 different names"));
}

TEST_F(Tables, AFewWordsAmongNumbersAreMistakes) {
  std::string text = "x,y\n";
  for (int i = 0; i < 40; ++i) text += text_of(i == 7 ? "inf" : std::to_string(i * i), ",a\n");
  text += "5,b\n";
  read(text, {.target = "y"});
  EXPECT_THAT(only(report_, ProblemKind::kMalformedRow),
              HasSubstr("9: column \"x\": expected a finite number, found \"inf\""));
  DataReport other;
  std::swap(report_, other);
  const TableData data = read(text, {.table = {.skip_bad = true}, .target = "y"});
  EXPECT_TRUE(report_.empty());
  EXPECT_EQ(data.rows(), 40);
  EXPECT_EQ(data.left_out, 1);
  EXPECT_EQ(data.columns[0].numbers[7], 64);
}

TEST_F(Tables, RowsWithoutATargetAreReported) {
  read("a,y\nx,1\nz,\nx,2\n", {.target = "y", .target_kind = TargetKind::kClasses});
  EXPECT_THAT(only(report_, ProblemKind::kMissingLabel), HasSubstr("3: column \"y\""));
}

TEST_F(Tables, DelimitersInQuotesAreNone) {
  const TableData data = read("\"a;b\",y\n\"1;2\",3\n\"4;5\",8\n\"4;5\",9\n", {.target = "y"});
  ASSERT_EQ(data.columns.size(), 1u);
  EXPECT_EQ(data.columns[0].name, "a;b");
  EXPECT_THAT(data.target->numbers, ElementsAre(3, 8, 9));
}

TEST_F(Tables, JsonIsNamed) {
  EXPECT_THAT(
      test::message_of<DataError>([&] { read("{\"a\": 1, \"y\": 2}\n{\"a\": 2, \"y\": 3}\n"); }),
      HasSubstr("found JSON"));
}

TEST_F(Tables, ClassesHaveALimit) {
  std::string text = "x,y\n";
  for (int i = 0; i < 30; ++i) text += text_of(i * i, ",name", i, '\n');
  const OpenTableOptions few{.limits = {.most_classes = 29}};
  EXPECT_THAT(test::message_of<DataError>([&] { read(text, {.table = few, .target = "y"}); }),
              HasSubstr("more than 29 classes"));
  EXPECT_EQ(read(text, {.target = "y"}).target->names.size(), 30u);
}

TEST_F(Tables, ClassesThatLookAlikeAreSaid) {
  EXPECT_EQ(read("age,income\n1,high\n2,low\n3,High\n").target->names.size(), 3u);
  EXPECT_THAT(only(report_, ProblemKind::kLookAlike), HasSubstr("4: \"High\" looks like \"high\""));
}

TEST_F(Tables, OneClassIsNone) {
  read("a,y\nx,1\nz,1\n", {.target = "y", .target_kind = TargetKind::kClasses});
  EXPECT_EQ(report_.count(ProblemKind::kOneClass), 1);
}

TEST_F(Tables, AreReadForAModelByItsColumns) {
  const TableReadOptions known{.target = "income",
                               .target_kind = TargetKind::kClasses,
                               .label_names = {"low", "high"},
                               .columns = {{.name = "job", .is_category = true}, {.name = "age"}}};
  const TableData data = read("x,income,age,job\n1,high,3,5\n2,low,4,6\n", known);
  ASSERT_EQ(data.columns.size(), 2u);
  EXPECT_THAT(data.columns[0].names, ElementsAre("5", "6"));
  EXPECT_THAT(data.columns[1].numbers, ElementsAre(3, 4));
  EXPECT_THAT(data.target->categories, ElementsAre(1, 0));
  TableReadOptions blind = known;
  blind.target_kind = TargetKind::kNone;
  EXPECT_FALSE(read("age,job\n3,a\n", blind).target.has_value());
  EXPECT_THROW(read("age,income\n3,low\n", known), DataError);
  read("age,job,income\n3,a,middling\n", known);
  EXPECT_THAT(only(report_, ProblemKind::kUnknownLabel), HasSubstr("2: class \"middling\""));
}

TEST_F(Tables, SeveralFilesAddUp) {
  const auto second = written_("more.csv", "income,job,age\nlow,smith,7\n");
  const TableData data =
      read_table({written_("table.csv", kPeople), second}, {.target = "income"}, report_);
  EXPECT_EQ(data.rows(), 5);
  EXPECT_EQ(data.columns[0].numbers[4], 7);
  EXPECT_EQ(data.target->categories[4], 1);
  EXPECT_THAT(data.where(4), HasSubstr("more.csv:2"));
}

TEST_F(Tables, ColumnsThatAreNotThereAreNamed) {
  EXPECT_THAT(test::message_of<UsageError>([&] { read(kPeople, {.target = "wage"}); }),
              HasSubstr("no column \"wage\" (--target); there are \"age\", \"job\""));
  EXPECT_THROW(read(kPeople, {.target = "income", .ignored = {"x"}}), UsageError);
  EXPECT_THAT(test::message_of<DataError>([&] { read("a,a,b\n1,2,3\n", {.target = "b"}); }),
              HasSubstr("table.csv:1: two columns are called \"a\""));
}

TEST_F(Tables, RowsAreHeldBackOfEachClass) {
  std::string text = "x,y\n";
  for (int i = 0; i < 100; ++i) text += text_of(i * i, ',', i % 10 == 0 ? "rare" : "usual", '\n');
  const TableData data = read(text, {.target = "y"});
  const std::vector<bool> held = held_back(data, 0.2, 1);
  std::vector<int64_t> rows;
  for (size_t i = 0; i < held.size(); ++i) {
    if (held[i]) rows.push_back(static_cast<int64_t>(i));
  }
  const TableData valid = chosen_rows(data, rows);
  EXPECT_EQ(valid.rows(), 20);
  EXPECT_EQ(std::count(valid.target->categories.begin(), valid.target->categories.end(), 0), 2);
}

}  // namespace
}  // namespace heed::data
