#include "heed/data/series/series_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"

namespace heed::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Series : public ::testing::Test {
 protected:
  SeriesData read(const std::string& text, const SeriesReadOptions& options = {}) {
    test::spill(folder_ / "series.csv", text);
    return read_series(folder_ / "series.csv", options, report_);
  }

  test::Folder folder_;
  DataReport report_;
};

TEST_F(Series, OneLineOfNumbersIsOneSeries) {
  const SeriesData data = read("2,5,10,6,8\n");
  EXPECT_THAT(data.values, ElementsAre(2, 5, 10, 6, 8));
  EXPECT_THAT(data.names, ElementsAre("value"));
  EXPECT_EQ(data.time_of(5), "6");
}

TEST_F(Series, ANumberOnEachLineIsOneSeries) {
  EXPECT_THAT(read("1\n2.5\n-3e1\n").values, ElementsAre(1, 2.5, -30));
}

TEST_F(Series, AHeaderNamesTheSeriesAndTheTimes) {
  const SeriesData data = read("date,a,b\n2016-01-31,1,2\n2016-02-01,3,4\n");
  EXPECT_THAT(data.names, ElementsAre("a", "b"));
  EXPECT_THAT(data.values, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(data.time_column, "date");
  EXPECT_EQ(data.time_of(2), "2016-02-02");
}

TEST_F(Series, MonthsAreSteps) {
  EXPECT_EQ(read("\"Month\",\"Passengers\"\n\"1949-11\",112\n\"1949-12\",118\n").time_of(2),
            "1950-01");
  const SeriesData days =
      read("t,x\n2020-01-01,1\n2020-02-01,2\n2020-03-01,3\n", {.time_column = "t"});
  EXPECT_EQ(days.time_of(3), "2020-04-01");
  EXPECT_EQ(days.added_rows, 0);
}

TEST_F(Series, MissingValuesAndTimesAreFilledAndCounted) {
  const SeriesData data = read(
      "time;x\n2016-07-01 00:00;\n2016-07-01 01:00;5\n2016-07-01 02:00;NaN\n2016-07-01 05:00;7\n");
  EXPECT_THAT(data.values, ElementsAre(5, 5, 5, 5, 5, 7));
  EXPECT_EQ(data.added_rows, 2);
  EXPECT_EQ(data.filled, 4);
  EXPECT_EQ(data.time_of(6), "2016-07-01 06:00");
  EXPECT_THAT(read("a,b\n1,2\n,3\n").known, ElementsAre(1, 2));
}

TEST_F(Series, LongTablesBecomeWide) {
  const SeriesData data =
      read("ds,id,y\n2,a,1\n1,b,4\n1,a,3\n2,b,2\n", {.series_column = "id", .value_column = "y"});
  EXPECT_THAT(data.names, ElementsAre("a", "b"));
  EXPECT_THAT(data.values, ElementsAre(3, 4, 1, 2));
}

TEST_F(Series, ColumnsAreChosenByNameAndNumber) {
  EXPECT_THAT(read("a,b,c\n1,2,3\n", {.columns = {"c", "1"}}).values, ElementsAre(3, 1));
  EXPECT_THROW(read("a,b\n1,2\n", {.columns = {"d"}}), UsageError);
}

TEST_F(Series, BadRowsAreReportedWithTheirLine) {
  read(
      "date,x\n2016-01-01,1\n2016-01-02,inf\n2016-01-01,2\nsoon,3\n2016-02-30,4\n2016-01-09,1,2\n");
  EXPECT_EQ(report_.count(ProblemKind::kMalformedRow), 4);
  EXPECT_EQ(report_.count(ProblemKind::kColumnCount), 1);
  EXPECT_THAT(report_.text(), HasSubstr("series.csv:3"));
  EXPECT_THAT(report_.text(), HasSubstr("expected a finite number"));
  EXPECT_THAT(report_.text(), HasSubstr("expected a time after 2016-01-01"));
}

TEST_F(Series, BadRowsCanBeLeftOut) {
  const SeriesData data =
      read("date,x\n2016-01-01,1\n2016-01-02,inf\n2016-01-03,3\n2016-01-04,4\n2016-01-05,5\n",
           {.skip_bad = true});
  EXPECT_THAT(data.values, ElementsAre(1, 1, 3, 4, 5));  // the day comes back as a missing one
  EXPECT_EQ(data.left_out, 1);
  EXPECT_EQ(report_.fatal_count(), 0);
}

// What is reported leaves the other rows as they are.
TEST_F(Series, TheOtherRowsAreReadAfterABadOne) {
  const SeriesData data = read(
      "date,x\n2016-01-01,1\n2016-01-02,inf\n2016-01-03,3\n2016-01-04,4\n2016-01-05,5\n"
      "2016-01-06,6\n2016-01-07\n2016-01-08,8\n");
  EXPECT_EQ(report_.fatal_count(), 2);
  EXPECT_THAT(data.values, ElementsAre(1, 1, 3, 4, 5, 6, 6, 8));
  EXPECT_THAT(read("a\n1\n2\n").values, ElementsAre(1, 2));  // with a report that has problems
}

TEST_F(Series, TimesOffTheGridAreReported) {
  const std::string text = "t,x\n0,1\n10,2\n20,3\n25,4\n30,5\n40,6\n";
  EXPECT_THAT(read(text, {.time_column = "t"}).values, ElementsAre(1, 2, 3, 5, 6));
  EXPECT_THAT(report_.text(), HasSubstr("series.csv:5: the time 25 does not stand on the grid"));
  EXPECT_EQ(read(text, {.time_column = "t", .skip_bad = true}).left_out, 1);
}

// n rows may be n series of n values, and leave out a hundred times as many rows between them.
TEST_F(Series, MoreThanTheMemoryAllowedIsRefused) {
  const SeriesReadOptions small = {.time_column = "t", .limits = {.most_bytes = 200'000}};
  SeriesReadOptions long_table = small;
  long_table.series_column = "s";
  long_table.value_column = "v";
  std::string names = "t,s,v\n";
  for (int i = 0; i < 600; ++i) names += text_of(i, ",s", i, ",1\n");
  EXPECT_THROW(read(names, long_table), DataError);
  std::string gaps = "t,x\n";
  for (int i = 0; i < 100; ++i) gaps += text_of(i, ",1\n");
  gaps += "10000,1\n";
  EXPECT_THROW(read(gaps, small), DataError);
  EXPECT_EQ(read(gaps, {.time_column = "t"}).added_rows, 9900);
}

TEST_F(Series, ASeriesWithoutAValueIsReported) {
  EXPECT_EQ(read("a,b\n1,\n2,NA\n").length(), 0);
  EXPECT_THAT(report_.text(), HasSubstr("series \"b\" has no value at all"));
}

TEST_F(Series, NoRowsAreReported) {
  read("a,b\n");
  EXPECT_EQ(report_.count(ProblemKind::kNoExamples), 1);
}

TEST(TimeFormat, PrintsWhatItReads) {
  for (const char* cell : {"17", "-3", "2016-07", "2016-02-29", "1969/12/31", "2016-07-01T13:05",
                           "2016-07-01 23:59:59", "2016-07-01T00:00:00Z"}) {
    const auto format = TimeFormat::of(cell);
    ASSERT_TRUE(format) << cell;
    EXPECT_EQ(format->print(*format->parse(cell)), cell);
  }
  for (const char* cell :
       {"", "x", "1.5", "2015-02-29", "2016-13", "2016-7-1", "2016-07-01 24:00"}) {
    EXPECT_FALSE(TimeFormat::of(cell)) << cell;
  }
}

}  // namespace
}  // namespace heed::data
