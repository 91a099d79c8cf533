#include "heed/tasks/graph/node_classification.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/tasks/graph/graph_sampling.h"
#include "heed/tasks/graph/node_baselines.h"
#include "heed/tasks/testing/test_learning.h"

namespace heed::tasks {
namespace {

// Two circles of nodes, each a class; every node has a word of its own and, one in three, the word
// of its class. A few of each train.
data::GraphData circles(int size) {
  data::GraphData data;
  data.file = "nodes.tsv";
  data.labels = {"a", "b"};
  data.columns = {{.name = "words", .is_words = true}, {.name = "number"}};
  data.words.resize(1);
  data.numbers.resize(1);
  data.has_parts = true;
  for (int i = 0; i < 2 * size; ++i) {
    const int label = i / size;
    data.nodes.push_back(text_of("n", i));
    data.classes.push_back(label);
    data.words[0].push_back(text_of("own", i, i % 3 == 0 ? text_of(" class", label) : ""));
    data.numbers[0].push_back(i % 2 == 0 ? 1.0F : NAN);
    data.edges.emplace_back(i, label * size + (i + 1) % size);
    data.parts.push_back(i % 6 == 0   ? data::Part::kTrain
                         : i % 6 == 1 ? data::Part::kValid
                                      : data::Part::kTest);
  }
  return data;
}

models::GraphClassifierOptions small_node_classification() {
  models::GraphClassifierOptions options;
  options.d_model = 16;
  options.num_heads = 2;
  options.dropout = 0;
  options.attention_dropout = 0;
  return options;
}

TEST(NodeClassification, LearnsFromNeighbours) {
  at::manual_seed(1);
  const data::GraphData data = circles(24);
  NodeClassification task(data, {.model = small_node_classification()});
  EXPECT_EQ(task.train_lengths(), std::vector<int64_t>({48}));
  learn(task, {0}, 300);
  const Metrics metrics = task.validate({});
  expect_all(NodeClassification::watchable(), metrics);
  EXPECT_GT(metric(metrics, "accuracy"), 0.95);
  const NodeEvaluation evaluation = evaluate(task.trained(), data, data::Part::kTest);
  EXPECT_GT(metric(evaluation.model.metrics, "accuracy"), 0.95);
  ASSERT_EQ(evaluation.baselines.size(), 2u);
  EXPECT_LT(evaluation.baselines[0].second, 0.9);  // most nodes have no word of their class
  EXPECT_EQ(evaluation.baselines[1].second, 1);
  EXPECT_EQ(evaluation.nodes.size(), 32u);
  EXPECT_EQ(evaluation.probabilities.sizes(), at::IntArrayRef({32, 2}));
  const at::Tensor all = probabilities(task.trained(), data);
  EXPECT_EQ(all.sizes(), at::IntArrayRef({48, 2}));
  EXPECT_NEAR(all[0].sum().item<float>(), 1, 1e-5);
}

TEST(NodeClassification, WhatItCannotUseIsNamed) {
  data::GraphData data = circles(6);
  data.parts.assign(12, data::Part::kTest);
  EXPECT_THROW(NodeClassification(data, {.model = small_node_classification()}), DataError);
  data = circles(6);
  data.columns.clear();
  EXPECT_THROW(NodeClassification(data, {.model = small_node_classification()}), DataError);
  data = circles(6);
  EXPECT_THROW(
      NodeClassification(data, {.model = small_node_classification(), .num_neighbors = -1}),
      UsageError);
  at::manual_seed(2);
  const NodeClassification task(data, {.model = small_node_classification()});
  data.classes.assign(12, -1);
  EXPECT_THROW(evaluate(task.trained(), data, data::Part::kNone), DataError);
}

TEST(NodeClassification, RareClassesCountMore) {
  data::GraphData data = circles(24);
  // Four nodes of the one class train, and one of the other.
  for (size_t i = 25; i < 48; ++i) {
    if (data.parts[i] == data::Part::kTrain) data.parts[i] = data::Part::kTest;
  }
  const models::GraphClassifierOptions model = small_node_classification();
  at::manual_seed(1);
  NodeClassification whole(data, {.model = model, .class_weight = "balanced"});
  const Loss loss = whole.loss(*whole.prepare({0}));
  EXPECT_EQ(loss.weight, 5);
  const at::Tensor logs = probabilities(whole.trained(), data).to(at::kDouble).log();
  const auto log_of = [&](int64_t node, int64_t label) { return logs[node][label].item<double>(); };
  const double common = log_of(0, 0) + log_of(6, 0) + log_of(12, 0) + log_of(18, 0);
  EXPECT_NEAR(loss.value.item<double>(), -(0.625 * common + 2.5 * log_of(24, 1)) / 5, 1e-5);
  at::manual_seed(1);
  NodeClassification part(data, {.model = model, .num_neighbors = 100, .class_weight = "balanced"});
  EXPECT_NEAR(part.loss(*part.prepare({0, 1, 2, 3, 4})).value.item<double>(),
              loss.value.item<double>(), 1e-5);
  EXPECT_THROW(NodeClassification(data, {.model = model, .class_weight = "heavy"}), UsageError);
}

TEST(NodeClassification, LearnsFromSomeNeighbours) {
  at::manual_seed(1);
  const data::GraphData data = circles(24);
  NodeClassification task(data, {.model = small_node_classification(), .num_neighbors = 1});
  ASSERT_EQ(task.train_lengths(), std::vector<int64_t>(8, 1));
  learn(task, {0, 1, 2, 3, 4, 5, 6, 7}, 300);
  EXPECT_GT(metric(task.validate({}), "accuracy"), 0.9);
}

TEST(NodeClassification, APartWithAllNeighboursGivesTheSameLoss) {
  const data::GraphData data = circles(24);
  at::manual_seed(1);
  NodeClassification whole(data, {.model = small_node_classification()});
  at::manual_seed(1);
  NodeClassification part(data, {.model = small_node_classification(), .num_neighbors = 100});
  const std::vector<int64_t> all = {0, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_NEAR(part.loss(*part.prepare(all)).value.item<double>(),
              whole.loss(*whole.prepare({0})).value.item<double>(), 1e-5);
}

TEST(GraphSampling, APartReachesAsFarAsItsHops) {
  // A chain: each node attends to the one before it.
  Neighbors chain{.offsets = {0, 1}, .nodes = {0}};
  for (int64_t i = 1; i < 6; ++i) {
    chain.nodes.insert(chain.nodes.end(), {i - 1, i});
    chain.offsets.push_back(std::ssize(chain.nodes));
  }
  const Subgraph part = sampled_subgraph(chain, {5, 1}, {.hops = 2, .most = 10});
  EXPECT_EQ(part.nodes, std::vector<int64_t>({5, 1, 4, 0, 3}));
  EXPECT_EQ(part.seen.offsets, std::vector<int64_t>({0, 2, 4, 6, 7, 8}));
  EXPECT_EQ(part.seen.nodes, std::vector<int64_t>({0, 2, 1, 3, 2, 4, 3, 4}));
}

TEST(GraphSampling, NeighboursAreDrawnEvenly) {
  Neighbors star{.offsets = {0, 11}, .nodes = {}};
  for (int64_t i = 0; i <= 10; ++i) star.nodes.push_back(i);
  for (int64_t i = 1; i <= 10; ++i) {
    star.nodes.push_back(i);
    star.offsets.push_back(std::ssize(star.nodes));
  }
  std::vector<int> counts(11);
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    const Subgraph part = sampled_subgraph(star, {0}, {.hops = 1, .most = 3, .seed = seed});
    ASSERT_EQ(part.nodes.size(), 4u);
    for (const int64_t node : part.nodes) ++counts[static_cast<size_t>(node)];
  }
  EXPECT_EQ(counts[0], 1000);
  for (size_t i = 1; i <= 10; ++i) EXPECT_NEAR(counts[i], 300, 60) << i;
}

TEST(GraphSampling, RowsAreTakenWithTheirEntries) {
  const nn::SparseMatrix rows{.offsets = at::tensor({0, 2, 2, 3}, at::kLong),
                              .columns = at::tensor({4, 7, 1}, at::kLong),
                              .values = at::tensor({0.5F, 0.25F, 2.0F})};
  const nn::SparseMatrix some = chosen_rows(rows, {2, 1, 0});
  EXPECT_TRUE(at::equal(some.offsets, at::tensor({0, 1, 1, 3}, at::kLong)));
  EXPECT_TRUE(at::equal(some.columns, at::tensor({1, 4, 7}, at::kLong)));
  EXPECT_TRUE(at::equal(some.values, at::tensor({2.0F, 0.5F, 0.25F})));
}

TEST(GraphTensors, NeighboursAreSortedAndHoldTheNode) {
  data::GraphData data = circles(3);
  data.edges = {{2, 0}, {0, 2}, {1, 0}};
  const Neighbors both = neighbors_of(data, false);
  EXPECT_EQ(both.offsets, std::vector<int64_t>({0, 3, 5, 7, 8, 9, 10}));
  EXPECT_EQ(both.nodes, std::vector<int64_t>({0, 1, 2, 0, 1, 0, 2, 3, 4, 5}));
  const Neighbors directed = neighbors_of(data, true);
  EXPECT_EQ(directed.nodes, std::vector<int64_t>({0, 1, 2, 1, 0, 2, 3, 4, 5}));
}

TEST(GraphTensors, WordsSumToOneAndNumbersAreStandardised) {
  data::GraphData data = circles(3);
  data.words[0] = {"x y", "", "y  z y", "x", "x", "new"};
  data.numbers[0] = {1, 3, NAN, 1, 3, 2};
  std::vector<models::GraphFeature> features = features_of(data);
  ASSERT_EQ(features.size(), 2u);
  EXPECT_EQ(features[0].words, (std::vector<std::string>{"new", "x", "y", "z"}));
  EXPECT_NEAR(features[1].mean, 2, 1e-9);
  EXPECT_NEAR(features[1].deviation, std::sqrt(0.8), 1e-9);
  features[0].words = {"x", "y", "z"};  // of a model that knows no other
  const nn::SparseMatrix rows = sparse_rows(data, features);
  const auto offsets = rows.offsets;
  const auto row = [&](int64_t node) {
    at::Tensor dense = at::zeros({4});
    for (auto i = offsets[node].item<int64_t>(); i < offsets[node + 1].item<int64_t>(); ++i) {
      dense[rows.columns[i].item<int64_t>()] = rows.values[i];
    }
    return dense;
  };
  const float one = 1 / std::sqrt(0.8F);
  EXPECT_TRUE(at::allclose(row(0), at::tensor({0.5F, 0.5F, 0.0F, -one})));
  EXPECT_TRUE(at::allclose(row(2), at::tensor({0.0F, 0.5F, 0.5F, 0.0F})));
  EXPECT_TRUE(at::allclose(row(5), at::tensor({0.0F, 0.0F, 0.0F, 0.0F})));
}

TEST(GraphParts, AreDrawnOfEachClass) {
  const data::GraphData data = circles(20);
  const auto parts = parts_by_shares(data, 0.2, 0.3, 7);
  const auto count = [&](int begin, data::Part part) {
    return std::count(parts.begin() + begin, parts.begin() + begin + 20, part);
  };
  for (const int begin : {0, 20}) {
    EXPECT_EQ(count(begin, data::Part::kValid), 4);
    EXPECT_EQ(count(begin, data::Part::kTest), 6);
    EXPECT_EQ(count(begin, data::Part::kTrain), 10);
  }
  EXPECT_EQ(parts, parts_by_shares(data, 0.2, 0.3, 7));
  EXPECT_NE(parts, parts_by_shares(data, 0.2, 0.3, 8));
  EXPECT_THROW(parts_by_shares(data, 0.5, 0.5, 1), UsageError);
}

}  // namespace
}  // namespace heed::tasks
