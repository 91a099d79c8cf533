#include "heed/tasks/graph/link_prediction.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <set>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"
#include "heed/tasks/testing/test_learning.h"

namespace heed::tasks {
namespace {

// Two groups of nodes, each linked within itself now and then; the word of the group is known of
// half of them.
data::GraphData groups(int size) {
  data::GraphData data;
  data.file = "nodes.tsv";
  data.columns = {{.name = "words", .is_words = true}};
  data.words.resize(1);
  for (int i = 0; i < 2 * size; ++i) {
    const int group = i / size;
    data.nodes.push_back(text_of("n", i));
    data.classes.push_back(-1);
    data.parts.push_back(data::Part::kNone);
    data.words[0].push_back(text_of("own", i, i % 2 == 0 ? text_of(" group", group) : ""));
    for (const int step : {1, 3, 7}) data.edges.emplace_back(i, group * size + (i + step) % size);
  }
  return data;
}

LinkPredictionOptions small_link_prediction() {
  LinkPredictionOptions options;
  options.vector_size = 8;
  options.model.d_model = 16;
  options.model.num_heads = 2;
  options.model.num_output_heads = 1;
  options.model.dropout = 0;
  options.model.attention_dropout = 0;
  options.valid_share = 0.1;
  return options;
}

TEST(LinkPrediction, LearnsWhoIsLinked) {
  at::manual_seed(1);
  const data::GraphData data = groups(90);
  LinkPrediction task(data, small_link_prediction());
  const LinkSplit& split = task.split();
  EXPECT_EQ(split.valid.linked.size(), 54u);
  EXPECT_EQ(split.test.others.size(), 54u);
  EXPECT_EQ(split.train.size(), 432u);
  learn(task, {0}, 200);
  const Metrics metrics = task.validate({});
  expect_all(LinkPrediction::watchable(), metrics);
  EXPECT_GT(metric(metrics, "auc"), 0.7);
  const auto evaluation = evaluate(task.trained(), with_edges(data, split.train), split.test);
  EXPECT_GT(metric(evaluation.model, "auc"), 0.7);
  EXPECT_EQ(metric(evaluation.model, "pairs"), 108);
  ASSERT_EQ(evaluation.baselines.size(), 3u);
}

TEST(LinkPrediction, NothingOfAPartIsInAnother) {
  const data::GraphData data = groups(30);
  const LinkPrediction task(data, small_link_prediction());
  std::set<std::pair<int32_t, int32_t>> seen;
  const LinkSplit& split = task.split();
  size_t count = 0;
  for (const NodePairs* pairs : {&split.train, &split.valid.linked, &split.test.linked,
                                 &split.valid.others, &split.test.others}) {
    for (const auto& [a, b] : *pairs) seen.emplace(std::min(a, b), std::max(a, b));
    count += pairs->size();
  }
  EXPECT_EQ(seen.size(), count);
}

TEST(LinkPrediction, BaselinesCountNeighbours) {
  data::GraphData data = groups(4);
  data.edges = {{0, 1}, {1, 2}, {3, 0}, {3, 2}, {4, 0}};
  at::manual_seed(2);
  const LinkPrediction task(groups(30), small_link_prediction());
  // 0 and 2 share two neighbours, 5 and 6 none.
  const auto evaluation = evaluate(task.trained(), data, {.linked = {{0, 2}}, .others = {{5, 6}}});
  EXPECT_EQ(metric(evaluation.baselines[0].second, "auc"), 1);
  EXPECT_EQ(metric(evaluation.baselines[1].second, "auc"), 1);
}

TEST(LinkPrediction, WhatCannotBeTrainedIsRefused) {
  data::GraphData data = groups(30);
  data.edges.resize(1);
  EXPECT_THROW(LinkPrediction(data, small_link_prediction()), DataError);
  data = groups(30);
  data.columns.clear();
  EXPECT_THROW(LinkPrediction(data, small_link_prediction()), DataError);
  LinkPredictionOptions options = small_link_prediction();
  options.valid_share = 0;
  EXPECT_THROW(LinkPrediction(groups(30), options), UsageError);
  options = small_link_prediction();
  options.vector_size = 1;
  EXPECT_THROW(LinkPrediction(groups(30), options), UsageError);
  EXPECT_THROW(pairs_without_edge(groups(4), groups(4).edges, 11, 1), DataError);
}

TEST(LinkPrediction, AModelIsFoundAgain) {
  at::manual_seed(3);
  const data::GraphData data = groups(30);
  LinkPrediction task(data, small_link_prediction());
  task.module().eval();
  const test::Folder folder;
  task.save(folder / "model");
  const auto found = models::load_link_predictor(folder / "model");
  const NodePairs pairs = {{0, 1}, {0, 40}};
  EXPECT_EQ(link_scores(found, data, pairs), link_scores(task.trained(), data, pairs));
  EXPECT_THROW(models::load_graph_classifier(folder / "model"), DataError);
}

}  // namespace
}  // namespace heed::tasks
