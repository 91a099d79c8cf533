#include "heed/data/interactions/interaction_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/data/testing/test_data.h"

namespace heed::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

class Interactions : public ::testing::Test {
 protected:
  InteractionData read(const std::string& text, const InteractionReadOptions& options = {}) {
    return read_interactions(written_("taken.txt", text), options, report_);
  }

  Written written_;
  DataReport report_;
};

TEST_F(Interactions, UsersAndItemsWithABlankBetween) {
  const InteractionData data = read("1 30\n1 10\n2 10\n1 30\n");
  EXPECT_THAT(data.users, ElementsAre("1", "2"));
  EXPECT_THAT(data.items, ElementsAre("30", "10"));
  EXPECT_THAT(data.histories, ElementsAre(ElementsAre(0, 1, 0), ElementsAre(1)));
  EXPECT_EQ(data.count(), 4);
  EXPECT_FALSE(data.has_times);
}

TEST_F(Interactions, TimesPutTheRowsInOrder) {
  const InteractionData data = read("anna\tb\t20\nanna\ta\t9.5\nanna\tc\t20\n");
  EXPECT_THAT(data.items, ElementsAre("b", "a", "c"));
  EXPECT_THAT(data.histories, ElementsAre(ElementsAre(1, 0, 2)));
  EXPECT_TRUE(data.has_times);
}

TEST_F(Interactions, AHeaderNamesTheColumns) {
  const InteractionData data =
      read("rating,movieId,timestamp,userId\n5,\"x, y\",2020-02-01,u\n1,z,2020-01-31,u\n");
  EXPECT_THAT(data.users, ElementsAre("u"));
  EXPECT_THAT(data.items, ElementsAre("x, y", "z"));
  EXPECT_THAT(data.histories, ElementsAre(ElementsAre(1, 0)));
}

TEST_F(Interactions, ColumnsAreChosen) {
  const InteractionReadOptions by_name = {
      .user_column = "who", .item_column = "what", .time_column = "none"};
  EXPECT_THAT(read("what;who;time\nb;u;2\na;u;1\n", by_name).histories,
              ElementsAre(ElementsAre(0, 1)));
  const InteractionReadOptions by_number = {
      .user_column = "3", .item_column = "1", .time_column = "2"};
  EXPECT_THAT(read("b;2;u\na;1;u\n", by_number).histories, ElementsAre(ElementsAre(1, 0)));
  EXPECT_THROW(read("a;1;u\n", {.user_column = "4"}), UsageError);
  EXPECT_THROW(read("a;1;u\n", {.time_column = "when"}), UsageError);
  EXPECT_THROW(read("user,what,more\n1,2,3\n"), UsageError);  // which one is the item?
}

// The columns of a file that was trained on.
InteractionReadOptions known_from(const InteractionData& trained) {
  return {.known_user_column = trained.user_column,
          .known_item_column = trained.item_column,
          .known_time_column = trained.time_column};
}

TEST_F(Interactions, TakesTheColumnsOfTraining) {
  const std::string rows = "what;who;when\nb;u;2\na;u;1\n";
  const InteractionReadOptions later =
      known_from(read(rows, {.user_column = "who", .item_column = "what", .time_column = "when"}));
  EXPECT_THAT(read(rows, later).histories, ElementsAre(ElementsAre(1, 0)));
  InteractionReadOptions chosen = later;
  chosen.time_column = "none";
  EXPECT_THAT(read(rows, chosen).histories, ElementsAre(ElementsAre(0, 1)));
  EXPECT_EQ(read(rows, chosen).time_column, "none");
  EXPECT_THAT(read("u;b\nu;a\n", later).histories, ElementsAre(ElementsAre(0, 1)));
  EXPECT_THAT([&] { read("user;what;when\nu;b;2\n", later); },
              ThrowsMessage<UsageError>(HasSubstr("no column \"who\", which the model was trained "
                                                  "with; name another one with --user-column")));
  EXPECT_THAT([&] { read("who;what\nu;b\n", later); },
              ThrowsMessage<UsageError>(HasSubstr("no column \"when\", which the model")));
}

TEST_F(Interactions, UsualNamesAreToldAnew) {
  const InteractionData trained = read("userId,movieId,timestamp\nu,a,2\n");
  EXPECT_EQ(trained.item_column, "movieId");
  EXPECT_EQ(trained.time_column, "timestamp");
  EXPECT_THAT(read("item,user\na,u\n", known_from(trained)).users, ElementsAre("u"));
  EXPECT_EQ(read("1 30\n").user_column, "");
}

TEST_F(Interactions, NumbersAreRememberedToo) {
  const std::string rows = "b;2;u\na;1;u\n";
  const InteractionReadOptions later =
      known_from(read(rows, {.user_column = "3", .item_column = "1", .time_column = "2"}));
  EXPECT_THAT(read(rows, later).histories, ElementsAre(ElementsAre(1, 0)));
  EXPECT_THAT([&] { read("u;b\n", later); },
              ThrowsMessage<UsageError>(HasSubstr("no column \"3\", which the model")));
  EXPECT_THAT([&] { read(rows, {.user_column = "0"}); },
              ThrowsMessage<UsageError>(HasSubstr("--user-column: expected")));
}

TEST_F(Interactions, ARowOfAnotherWidthIsNamed) {
  read("1 2\n1 3 4\n");
  EXPECT_EQ(only(report_, ProblemKind::kColumnCount), "2: expected 2 columns, found 3");
}

TEST_F(Interactions, ARowWithoutAnItemIsNamed) {
  read("1,2\n1,\n");
  EXPECT_THAT(only(report_, ProblemKind::kMalformedRow),
              HasSubstr("2: column 2: expected an item"));
}

TEST_F(Interactions, ATimeOfAnotherKindIsNamed) {
  read("1,2,2020-01-01\n1,3,17\n");
  EXPECT_THAT(only(report_, ProblemKind::kMalformedRow), HasSubstr("2: column 3: expected a day"));
}

TEST_F(Interactions, AnInfiniteTimeIsNamed) {
  read("1,2,5\n1,3,inf\n");
  EXPECT_THAT(only(report_, ProblemKind::kMalformedRow), HasSubstr("expected a number"));
}

TEST_F(Interactions, ATabInANameIsNamed) {
  read("1,2\n1,\"a\tb\"\n", {.delimiter = ','});
  EXPECT_THAT(only(report_, ProblemKind::kMalformedRow), HasSubstr("without tabs"));
}

TEST_F(Interactions, BadRowsAreLeftOutAndCounted) {
  const InteractionData data = read("1,2,3\n1,,3\n1,2\n1,4,soon\n1,5,4\n", {.skip_bad = true});
  EXPECT_TRUE(report_.empty()) << report_.text();
  EXPECT_EQ(data.left_out, 3);
  EXPECT_THAT(data.items, ElementsAre("2", "5"));
}

TEST_F(Interactions, NothingIsNamed) {
  EXPECT_THAT(read("").users, IsEmpty());
  EXPECT_EQ(report_.count(ProblemKind::kNoExamples), 1);
}

TEST_F(Interactions, AHeaderAloneIsNamed) {
  EXPECT_THAT(read("user,item\n").users, IsEmpty());
  EXPECT_EQ(report_.count(ProblemKind::kNoExamples), 1);
}

TEST_F(Interactions, ItemsHaveNames) {
  const ItemNames names = read_item_names(
      written_("names.csv", "movie_id,genre,title\n7,x,\"Two, three\"\n7,x,No\n8,y,Four\n"), {}, "",
      report_);
  EXPECT_THAT(names, ElementsAre(std::pair("7", "Two, three"), std::pair("8", "Four")));
  EXPECT_EQ(read_item_names(written_("n.tsv", "a\tA\nb\tB\n"), {}, "", report_).size(), 2u);
}

}  // namespace
}  // namespace heed::data
