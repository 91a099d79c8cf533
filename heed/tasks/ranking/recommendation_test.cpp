#include "heed/tasks/ranking/recommendation.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/tasks/ranking/ranking_baselines.h"
#include "heed/tasks/testing/test_learning.h"

namespace heed::tasks {
namespace {

// Every user walks on around a circle of 20 items.
data::InteractionData circle(int users, int length) {
  data::InteractionData data;
  data.file = "circle.tsv";
  for (int item = 0; item < 20; ++item) data.items.push_back(text_of("i", item));
  for (int user = 0; user < users; ++user) {
    data.users.push_back(text_of("u", user));
    auto& history = data.histories.emplace_back();
    for (int t = 0; t < length; ++t) history.push_back((user + t) % 20);
  }
  return data;
}

RecommendationOptions small_recommendation() {
  RecommendationOptions options;
  options.model.transformer.d_model = 32;
  options.model.transformer.d_ff = 32;
  options.model.transformer.num_layers = 1;
  options.model.transformer.max_length = 6;
  options.model.transformer.dropout = 0;
  options.model.transformer.attention_dropout = 0;
  options.model.transformer.embedding_dropout = 0;
  options.num_negatives = 0;
  return options;
}

std::vector<int64_t> all(const Task& task) {
  std::vector<int64_t> numbers(task.train_lengths().size());
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int64_t>(i);
  return numbers;
}

TEST(Recommendation, LearnsWhatComesNext) {
  at::manual_seed(1);
  for (const int64_t negatives : {0, 8}) {
    RecommendationOptions options = small_recommendation();
    options.num_negatives = negatives;
    Recommendation task(circle(20, 7), {}, options);
    learn(task, all(task), 150);
    const Metrics metrics = task.validate({});
    expect_all(Recommendation::watchable(), metrics);
    EXPECT_TRUE(task.watched("").higher_is_better);
    EXPECT_GT(metric(metrics, "hr@10"), 0.95) << negatives;
    EXPECT_GT(metric(metrics, "ndcg@10"), 0.8) << negatives;
    const auto evaluation = evaluate(task.trained(), task.test_cases(), {});
    EXPECT_GT(evaluation.model.all.ndcg(10), evaluation.baselines[0].second.all.ndcg(10));
    ASSERT_EQ(evaluation.baselines.size(), 2u);
    const auto best = recommend(task.trained(), {3, 4, 5}, {.top = 3});
    ASSERT_EQ(best.size(), 3u);
    EXPECT_EQ(best[0].item, 6);
    EXPECT_GT(best[0].probability, best[1].probability);
  }
}

TEST(Recommendation, LastItemsAreHeldBack) {
  at::manual_seed(2);
  data::InteractionData data = circle(1, 9);
  const Recommendation task(data, {}, small_recommendation());
  // Seven train: six are foretold, which is one piece.
  EXPECT_EQ(task.train_lengths(), std::vector<int64_t>({6}));
  ASSERT_EQ(task.test_cases().size(), 1u);
  EXPECT_EQ(task.test_cases()[0].wanted, 8);
  EXPECT_EQ(task.test_cases()[0].history.size(), 8u);
  data = circle(1, 13);
  EXPECT_EQ(Recommendation(data, {}, small_recommendation()).train_lengths(),
            std::vector<int64_t>({6, 4}));
}

TEST(Recommendation, TooFewItemsAreNamed) {
  EXPECT_THROW(Recommendation(circle(5, 2), {}, small_recommendation()), DataError);
  EXPECT_THROW(Recommendation(circle(5, 1), {}, small_recommendation()), DataError);
}

TEST(Recommendation, WhatWasSeenIsNotRecommended) {
  at::manual_seed(3);
  const Recommendation task(circle(20, 7), {}, small_recommendation());
  task.trained().model->eval();
  const std::vector<int32_t> history = {1, 2, 3};
  const auto best = recommend(task.trained(), history, {.top = 100});
  EXPECT_EQ(best.size(), 17u);
  for (const auto& each : best) EXPECT_TRUE(each.item == 0 || each.item > 3) << each.item;
  EXPECT_EQ(recommend(task.trained(), history, {.top = 100, .with_seen = true}).size(), 20u);
}

TEST(Recommendation, WhoIsNotKnownGetsWhatIsPopular) {
  at::manual_seed(4);
  data::InteractionData data = circle(20, 7);
  data.histories[0] = {5, 5, 5, 5, 7};
  const Recommendation task(data, {}, small_recommendation());
  const auto best = recommend(task.trained(), {}, {.top = 1});
  EXPECT_EQ(best[0].item, 5);
  EXPECT_NEAR(best[0].probability, task.trained().counts[5] / static_cast<double>(data.count()),
              1e-6);
}

TEST(Recommendation, NamesFollowTheItems) {
  at::manual_seed(5);
  const Recommendation task(circle(20, 7), {{"i3", "Three"}, {"other", "Other"}},
                            small_recommendation());
  EXPECT_EQ(task.trained().names[3], "Three");
  EXPECT_EQ(task.trained().names[4], "");
}

TEST(Recommendation, ItemsOfAFileAreFoundByName) {
  at::manual_seed(6);
  const Recommendation task(circle(20, 7), {}, small_recommendation());
  data::InteractionData data;
  data.items = {"i7", "new", "i2"};
  data.users = {"a", "b", "c", "d"};
  data.histories = {{0, 2}, {0, 1}, {1, 0}, {2}};
  const KnownCases known = known_cases(task.trained(), data);
  EXPECT_EQ(known.unknown, 2);
  EXPECT_EQ(known.left_out, 2);
  ASSERT_EQ(known.cases.size(), 2u);
  EXPECT_EQ(known.cases[0].history, std::vector<int32_t>({7}));
  EXPECT_EQ(known.cases[0].wanted, 2);
  EXPECT_EQ(known.cases[1].wanted, -1);
}

// Scores that grow with the number of the item.
at::Tensor rising(std::span<const RankingCase> cases) {
  return at::arange(200, at::kFloat).repeat({static_cast<int64_t>(cases.size()), 1});
}

TEST(RankingEvaluation, LeavesOutWhatWasTaken) {
  const std::vector<RankingCase> cases = {
      {.history = {199, 198}, .wanted = 196},  // below 197 alone
      {.history = {5}, .wanted = 199},         // the best
      {.history = {5}, .wanted = -1},          // not known: the last
      {.history = {7}, .wanted = 7},           // taken again
  };
  const RankingEvaluation evaluation =
      evaluate(cases, rising, {.num_items = 200, .sampled = 100}, {});
  EXPECT_DOUBLE_EQ(evaluation.all.ndcg(10), (1 / std::log2(3) + 1) / 4);
  EXPECT_DOUBLE_EQ(evaluation.all.hit_rate(193), 0.75);
  EXPECT_DOUBLE_EQ(evaluation.all.hit_rate(192), 0.5);
  EXPECT_DOUBLE_EQ(evaluation.sampled.hit_rate(10), 0.5);
  EXPECT_DOUBLE_EQ(evaluation.coverage, 12 / 200.0);
}

TEST(RankingEvaluation, SampledItemsAreThereOnce) {
  const std::vector<RankingCase> cases = {{.history = {0}, .wanted = 1}};  // the worst of all
  const auto rank = [&](int64_t sampled) {
    const auto found = evaluate(cases, rising, {.num_items = 200, .sampled = sampled}, {});
    return 1 / found.sampled.mean_reciprocal_rank() - 1;
  };
  EXPECT_NEAR(rank(100), 100, 1e-9);
  EXPECT_NEAR(rank(197), 197, 1e-9);
  EXPECT_NEAR(rank(1000), 198, 1e-9);  // there are no more
}

TEST(RankingBaselines, NeighboursAreTakenByTheSameUsers) {
  const std::vector<RankingCase> histories = {
      {.history = {0, 1}}, {.history = {0, 1, 1}}, {.history = {2, 3}}, {.history = {0, 3}}};
  const RankingCase asked{.history = {0}};
  const at::Tensor scores = item_neighbours(histories, 5)({&asked, 1})[0];
  EXPECT_NEAR(scores[1].item<float>(), 2 / std::sqrt(3.0 * 2), 1e-6);
  EXPECT_NEAR(scores[3].item<float>(), 1 / std::sqrt(3.0 * 2), 1e-6);
  EXPECT_EQ(scores[2].item<float>(), 0);
  const at::Tensor popular = popularity(histories, 5)({&asked, 1})[0];
  EXPECT_EQ(popular[1].item<float>(), 3);
  EXPECT_EQ(popular[4].item<float>(), 0);
}

}  // namespace
}  // namespace heed::tasks
