#include "heed/nn/crf/linear_chain.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "heed/base/error.h"

namespace heed::nn {
namespace {

constexpr int64_t kTags = 3;
constexpr double kNever = -std::numeric_limits<double>::infinity();

ChainScores scores_of(std::vector<int64_t> lengths, at::ScalarType type = at::kDouble) {
  at::manual_seed(3);
  const auto batch = std::ssize(lengths);
  const int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  return {.emissions = at::randn({batch, longest, kTags}, type),
          .transitions = at::randn({kTags, kTags}, type),
          .begin = at::randn({kTags}, type),
          .end = at::randn({kTags}, type),
          .lengths = at::tensor(lengths)};
}

// 2 may not begin, 1 may not follow 0, 0 may not be last.
ChainRules some_rules() {
  return ChainRules(
      {.transitions = {1, 0, 1, 1, 1, 1, 1, 1, 1}, .begin = {1, 1, 0}, .end = {0, 1, 1}});
}

using Chain = std::vector<int64_t>;

// s(y) of the definition; −∞ where a rule forbids it.
double score_of(const ChainScores& s, const ChainRules& rules, int64_t b, const Chain& tags) {
  const auto at = [](const at::Tensor& tensor, std::initializer_list<int64_t> place) {
    at::Tensor element = tensor;
    for (const int64_t i : place) element = element[i];
    return element.item<double>();
  };
  if (!rules.may_begin(tags.front()) || !rules.may_end(tags.back())) return kNever;
  double score = at(s.begin, {tags.front()}) + at(s.end, {tags.back()});
  for (size_t t = 0; t < tags.size(); ++t) {
    score += at(s.emissions, {b, static_cast<int64_t>(t), tags[t]});
    if (t == 0) continue;
    if (!rules.may_follow(tags[t - 1], tags[t])) return kNever;
    score += at(s.transitions, {tags[t - 1], tags[t]});
  }
  return score;
}

void for_each_chain(int64_t length, const std::function<void(const Chain&)>& visit) {
  Chain tags(static_cast<size_t>(length), 0);
  for (int64_t number = 0; number < std::llround(std::pow(kTags, length)); ++number) {
    int64_t rest = number;
    for (int64_t& tag : tags) {
      tag = rest % kTags;
      rest /= kTags;
    }
    visit(tags);
  }
}

TEST(LinearChain, LossBestAndMarginalsAreThoseOfAllChains) {
  const ChainRules rules = some_rules();
  const ChainScores scores = scores_of({4, 1, 3});
  const at::Tensor targets =
      at::tensor({1, 1, 0, 2, /**/ 1, 0, 0, 0, /**/ 0, 2, 1, 0}, at::kLong).view({3, 4});
  const at::Tensor losses = chain_loss(scores, rules, targets);
  const at::Tensor marginals = chain_marginals(scores, rules);
  const auto best = best_chains(scores, rules);
  for (int64_t b = 0; b < 3; ++b) {
    const int64_t length = scores.lengths[b].item<int64_t>();
    double total = 0;
    double largest = kNever;
    Chain winner;
    at::Tensor expected = at::zeros({4, kTags}, at::kDouble);
    for_each_chain(length, [&](const Chain& tags) {
      const double score = score_of(scores, rules, b, tags);
      total += std::exp(score);
      if (score > largest) {
        largest = score;
        winner = tags;
      }
      for (size_t t = 0; t < tags.size(); ++t) {
        expected[static_cast<int64_t>(t)][tags[t]] += std::exp(score);
      }
    });
    Chain wanted;
    for (int64_t t = 0; t < length; ++t) wanted.push_back(targets[b][t].item<int64_t>());
    EXPECT_NEAR(losses[b].item<double>(), std::log(total) - score_of(scores, rules, b, wanted),
                1e-12);
    EXPECT_EQ(best[static_cast<size_t>(b)], winner);
    EXPECT_LT((marginals[b] - expected / total).abs().max().item<double>(), 1e-12);
  }
}

// The gradient against that of torch for the log of the sum over all chains, and against small
// steps.
TEST(LinearChain, GradientsAreThoseOfTheDefinition) {
  const ChainRules rules = some_rules();
  ChainScores scores = scores_of({4, 2});
  const at::Tensor targets = at::tensor({1, 1, 0, 2, /**/ 0, 2, 0, 0}, at::kLong).view({2, 4});
  const at::Tensor weights = at::tensor({1.0, -0.7}, at::kDouble);  // of the sentences
  const std::vector<at::Tensor*> inputs = {&scores.emissions, &scores.transitions, &scores.begin,
                                           &scores.end};
  for (at::Tensor* input : inputs) input->requires_grad_();
  (chain_loss(scores, rules, targets) * weights).sum().backward();
  for (at::Tensor* input : inputs) {
    const at::Tensor gradient = input->grad();
    at::Tensor values = input->detach().view(-1);
    for (int64_t i = 0; i < values.numel(); ++i) {
      constexpr double kStep = 1e-5;
      const auto value = values[i].item<double>();
      const auto loss_at = [&](double x) {
        values[i] = x;
        return (chain_loss(scores, rules, targets) * weights).sum().item<double>();
      };
      const double slope = (loss_at(value + kStep) - loss_at(value - kStep)) / (2 * kStep);
      values[i] = value;
      EXPECT_NEAR(gradient.view(-1)[i].item<double>(), slope, 1e-8) << i;
    }
  }
}

TEST(LinearChain, WhatLiesBehindASequenceHasNoInfluence) {
  const ChainRules rules(kTags);
  ChainScores scores = scores_of({4, 2, 0});
  const at::Tensor targets = at::zeros({3, 4}, at::kLong);
  const at::Tensor before = chain_loss(scores, rules, targets);
  scores.emissions[1].slice(0, 2).fill_(std::numeric_limits<double>::quiet_NaN());
  scores.emissions[2].fill_(std::numeric_limits<double>::quiet_NaN());
  scores.emissions.requires_grad_();
  const at::Tensor after = chain_loss(scores, rules, targets);
  EXPECT_TRUE(after.equal(before));
  EXPECT_EQ(after[2].item<double>(), 0);
  after.sum().backward();
  EXPECT_EQ(scores.emissions.grad()[2].abs().max().item<double>(), 0);
  EXPECT_EQ(scores.emissions.grad()[1].slice(0, 2).abs().max().item<double>(), 0);
  EXPECT_TRUE(best_chains(scores, rules)[2].empty());
}

TEST(LinearChain, Float32AndThreadsGiveTheSame) {
  const ChainRules rules = some_rules();
  const ChainScores scores = scores_of({5, 3, 4, 5, 1, 2}, at::kFloat);
  const at::Tensor targets = at::ones({6, 5}, at::kLong);
  const int threads = at::get_num_threads();
  const auto run = [&](int count) {
    at::set_num_threads(count);
    const at::Tensor emissions = scores.emissions.detach().clone().requires_grad_();
    ChainScores own = scores;
    own.emissions = emissions;
    const at::Tensor losses = chain_loss(own, rules, targets);
    losses.sum().backward();
    return std::make_pair(losses.detach(), emissions.grad());
  };
  const auto one = run(1);
  const auto two = run(2);
  at::set_num_threads(threads);
  EXPECT_EQ(one.first.scalar_type(), at::kFloat);
  EXPECT_TRUE(one.first.equal(two.first));
  EXPECT_TRUE(one.second.equal(two.second));
}

TEST(LinearChain, ErrorsNameWhatIsWrong) {
  const ChainRules rules = some_rules();
  const ChainScores scores = scores_of({2});
  EXPECT_THROW(chain_loss(scores, rules, at::tensor({0, 1}, at::kLong).view({1, 2})),
               DataError);  // 0 -> 1
  EXPECT_THROW(chain_loss(scores, rules, at::tensor({1, 3}, at::kLong).view({1, 2})), DataError);
  EXPECT_THROW(chain_loss(scores, rules, at::zeros({1, 3}, at::kLong)), UsageError);
  EXPECT_THROW(best_chains(scores, ChainRules(2)), UsageError);
  ChainScores longer = scores;
  longer.lengths = at::tensor({int64_t{3}});
  EXPECT_THROW(best_chains(longer, rules), UsageError);
  EXPECT_THROW(ChainRules({.transitions = {1}, .begin = {1, 1}, .end = {1, 1}}), UsageError);
  EXPECT_THROW(ChainRules({.transitions = {1}, .begin = {1}, .end = {0}}), UsageError);
}

}  // namespace
}  // namespace heed::nn
