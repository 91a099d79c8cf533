#include "heed/data/graphs/graph_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/data/testing/test_data.h"

namespace heed::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::ThrowsMessage;

constexpr const char* kNodes =
    "node\tlabel\tsplit\twords\tyear\n"
    "a\t10\ttrain\t3 7\t1999\n"
    "b\t9\tvalid\t7\t\n"
    "c\t\t\t\t2001\n";

class Graphs : public ::testing::Test {
 protected:
  GraphData read(const std::string& nodes, const std::string& edges = "",
                 const GraphReadOptions& options = {}) {
    const auto file = written_("nodes.tsv", nodes);
    return read_graph(file, edges.empty() ? "" : written_("edges.tsv", edges), options, report_);
  }

  Written written_;
  DataReport report_;
};

TEST_F(Graphs, NodesHaveClassesPartsWordsAndNumbers) {
  const GraphData data = read(kNodes, "source\ttarget\na\tb\nb\tc\n");
  EXPECT_TRUE(report_.empty()) << report_.text();
  EXPECT_THAT(data.nodes, ElementsAre("a", "b", "c"));
  EXPECT_THAT(data.labels, ElementsAre("9", "10"));  // sorted as numbers
  EXPECT_THAT(data.classes, ElementsAre(1, 0, -1));
  EXPECT_THAT(data.parts, ElementsAre(Part::kTrain, Part::kValid, Part::kNone));
  ASSERT_EQ(data.columns.size(), 2u);
  EXPECT_TRUE(data.columns[0].is_words);
  EXPECT_FALSE(data.columns[1].is_words);
  EXPECT_THAT(data.words, ElementsAre(ElementsAre("3 7", "7", "")));
  EXPECT_EQ(data.numbers[0][2], 2001);
  EXPECT_TRUE(std::isnan(data.numbers[0][1]));
  EXPECT_THAT(data.edges, ElementsAre(::testing::Pair(0, 1), ::testing::Pair(1, 2)));
}

TEST_F(Graphs, TablesNeedNoHeader) {
  const GraphData data = read("a,x,1.5\nb,y,2\n", "b,a,0.7\n");
  EXPECT_THAT(data.labels, ElementsAre("x", "y"));
  EXPECT_EQ(data.columns[0].name, "column 3");
  EXPECT_THAT(data.numbers, ElementsAre(ElementsAre(1.5, 2)));
  EXPECT_THAT(data.edges, ElementsAre(::testing::Pair(1, 0)));
  EXPECT_FALSE(data.has_parts);
}

TEST_F(Graphs, EdgesCountOnce) {
  const GraphData data = read(kNodes, "a\tb\na\tb\nc\tc\nb\ta\n");
  EXPECT_THAT(data.edges, ElementsAre(::testing::Pair(0, 1), ::testing::Pair(1, 0)));
  EXPECT_EQ(data.repeated, 2);
}

TEST_F(Graphs, AnEdgeToANodeThatIsNotThereIsNamed) {
  read(kNodes, "source\ttarget\na\tb\na\tz\n");
  EXPECT_THAT(only(report_, ProblemKind::kMalformedRow), HasSubstr("3: an edge to node \"z\""));
}

TEST_F(Graphs, ANodeThatIsThereTwiceIsNamed) {
  read("node,label\na,1\na,2\n");
  EXPECT_THAT(only(report_, ProblemKind::kMalformedRow),
              HasSubstr("3: node \"a\" is there a second"));
}

TEST_F(Graphs, AnUnknownSplitIsNamed) {
  read("node,label,split\na,1,train\nb,2,later\n");
  EXPECT_THAT(only(report_, ProblemKind::kMalformedRow), HasSubstr("3: column 3: expected train"));
}

TEST_F(Graphs, ANodeThatTrainsNeedsAClass) {
  read("node,label,split\na,,train\n");
  EXPECT_THAT(only(report_, ProblemKind::kMalformedRow), HasSubstr("2: expected a class"));
}

TEST_F(Graphs, AModelSaysWhichColumnsAndClassesThereAre) {
  GraphReadOptions known{.features = {{.name = "year"}}, .label_names = {"10", "9"}};
  const GraphData data = read(kNodes, "", known);
  EXPECT_THAT(data.classes, ElementsAre(0, 1, -1));
  EXPECT_EQ(data.columns.size(), 1u);
  read("node,label,year\na,10,soon\n", "", known);
  EXPECT_THAT(only(report_, ProblemKind::kMalformedRow),
              HasSubstr("2: column 3: expected a finite"));
  known.features[0].name = "age";
  EXPECT_THROW(read(kNodes, "", known), UsageError);
}

TEST_F(Graphs, ClassesThatLookAlikeAreSaid) {
  read("node,label\na,x y\nb,x\u00a0y\n");
  EXPECT_THAT(only(report_, ProblemKind::kLookAlike), HasSubstr("3: \"x\u00a0y\" differs from"));
}

TEST_F(Graphs, AnotherClassIsNamed) {
  read(kNodes, "", {.label_names = {"10", "11"}});
  EXPECT_THAT(only(report_, ProblemKind::kUnknownLabel), HasSubstr("3: class \"9\""));
}

TEST_F(Graphs, BadRowsAreLeftOutAndCounted) {
  const GraphData data = read("node,label,year\na,1,2\n,1,2\nb,1\nb,2,3\n", "a,b\na,z\na\n",
                              {.table = {.skip_bad = true}});
  EXPECT_TRUE(report_.empty()) << report_.text();
  EXPECT_EQ(data.left_out, 4);
  EXPECT_THAT(data.nodes, ElementsAre("a", "b"));
  EXPECT_EQ(data.edges.size(), 1u);
}

// Its edges are not reported beside a node that is.
TEST_F(Graphs, TheOtherRowsAreReadAfterABadOne) {
  const GraphData data =
      read("node,label,split\na,1,train\nb,2,later\nc,1,valid\n", "a,b\na,c\na,z\nc,a\n");
  EXPECT_EQ(report_.fatal_count(), 2);
  EXPECT_THAT(report_.text(), HasSubstr("nodes.tsv:3: column 3"));
  EXPECT_THAT(report_.text(), HasSubstr("edges.tsv:3: an edge to node \"z\""));
  EXPECT_THAT(data.nodes, ElementsAre("a", "c"));
  EXPECT_THAT(data.edges, ElementsAre(Pair(0, 1), Pair(1, 0)));
}

TEST_F(Graphs, ColumnsAreChosen) {
  const GraphReadOptions options{
      .node_column = "what", .label_column = "3", .split_column = "none"};
  const GraphData data = read("split,what,kind\ntrain,a,x\nvalid,b,y\n", "", options);
  EXPECT_THAT(data.nodes, ElementsAre("a", "b"));
  EXPECT_THAT(data.labels, ElementsAre("x", "y"));
  EXPECT_FALSE(data.has_parts);
  EXPECT_THROW(read(kNodes, "", {.node_column = "other"}), UsageError);
  EXPECT_THROW(read(kNodes, "", {.node_column = "0"}), UsageError);
  // Names make a header of a row that has no usual one.
  EXPECT_THAT(read("key,year\na,1\n", "", {.node_column = "key"}).nodes, ElementsAre("a"));
}

TEST_F(Graphs, TakesTheColumnsOfTraining) {
  const std::string nodes = "label,key,kind,split,year\nn1,a,x,train,7\nn2,b,y,valid,8\n";
  const GraphData trained =
      read(nodes, "", {.node_column = "key", .label_column = "kind", .split_column = "none"});
  const GraphReadOptions later = {.known_node_column = trained.node_column,
                                  .known_label_column = trained.label_column,
                                  .known_split_column = trained.split_column};
  const GraphData again = read(nodes, "", later);
  EXPECT_THAT(again.nodes, ElementsAre("a", "b"));
  EXPECT_THAT(again.labels, ElementsAre("x", "y"));
  EXPECT_FALSE(again.has_parts);
  GraphReadOptions chosen = later;
  chosen.node_column = "label";
  EXPECT_THAT(read(nodes, "", chosen).nodes, ElementsAre("n1", "n2"));
  // A name that training was told must be there, that of the class where classes are wanted.
  EXPECT_THAT([&] { read("label,kind\na,x\n", "", later); },
              ThrowsMessage<UsageError>(HasSubstr("no column \"key\", which the model was trained "
                                                  "with; name another one with --node-column")));
  const std::string unlabelled = "key,year\na,7\n";
  EXPECT_THAT([&] { read(unlabelled, "", later); },
              ThrowsMessage<UsageError>(HasSubstr("no column \"kind\", which the model")));
  GraphReadOptions predicting = later;
  predicting.labels = Labels::kNone;
  EXPECT_THAT(read(unlabelled, "", predicting).classes, ElementsAre(-1));
  EXPECT_TRUE(report_.empty()) << report_.text();
}

TEST_F(Graphs, UsualNamesAreToldAnew) {
  const GraphData trained = read(kNodes);
  EXPECT_EQ(trained.node_column, "node");
  EXPECT_EQ(trained.split_column, "split");
  const GraphReadOptions later = {.known_node_column = trained.node_column,
                                  .known_label_column = trained.label_column,
                                  .known_split_column = trained.split_column};
  EXPECT_THAT(read("id,class\nq,9\n", "", later).labels, ElementsAre("9"));
  EXPECT_EQ(read("a,x,1.5\nb,y,2\n", "", later).nodes.size(), 2u);  // without a header
  EXPECT_EQ(read("a,x,1.5\nb,y,2\n").node_column, "");
}

TEST_F(Graphs, NumbersAreRememberedToo) {
  const GraphData trained = read("1,a,x\n2,b,y\n", "", {.node_column = "2", .label_column = "3"});
  EXPECT_EQ(trained.node_column, "2");
  const GraphReadOptions later = {.known_node_column = trained.node_column,
                                  .known_label_column = trained.label_column};
  EXPECT_THAT(read("3,c,x\n", "", later).nodes, ElementsAre("c"));
  EXPECT_THAT([&] { read("c,x\n", "", later); },
              ThrowsMessage<UsageError>(HasSubstr("no column \"3\", which the model")));
}

}  // namespace
}  // namespace heed::data
