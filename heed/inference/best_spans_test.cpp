#include "heed/inference/best_spans.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "heed/base/error.h"

namespace heed::inference {
namespace {

// All spans that may be, best first.
std::vector<ScoredSpan> all_spans(const SpanScores& scores, const SpanLimits& limits) {
  std::vector<ScoredSpan> all;
  for (size_t i = 0; i < scores.start.size(); ++i) {
    for (size_t j = 0; j < scores.end.size(); ++j) {
      const bool may_be = limits.begin <= i && i < limits.starts_end && i <= j && j < limits.end &&
                          j - i + 1 <= limits.max_length;
      if (may_be) all.push_back({i, j, double{scores.start[i]} + double{scores.end[j]}});
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  return all;
}

TEST(BestSpans, AreThoseOfAnExhaustiveSearch) {
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    const size_t size = 1 + random() % 24;
    std::vector<float> start;
    std::vector<float> end;
    // Few values, so that many spans are equally good.
    for (size_t i = 0; i < size; ++i) start.push_back(static_cast<float>(random() % 4));
    for (size_t i = 0; i < size; ++i) end.push_back(static_cast<float>(random() % 4));
    SpanLimits limits{.max_length = 1 + random() % 30, .count = 1 + random() % 6};
    limits.end = random() % (size + 1);
    limits.starts_end = random() % (limits.end + 1);
    limits.begin = random() % (limits.starts_end + 1);
    const SpanScores scores{start, end};
    const auto expected = all_spans(scores, limits);
    const BestSpans found = best_spans(scores, limits);
    ASSERT_EQ(found.best.size(), std::min(limits.count, expected.size()));
    for (size_t k = 0; k < found.best.size(); ++k) {
      EXPECT_EQ(found.best[k].first, expected[k].first);
      EXPECT_EQ(found.best[k].last, expected[k].last);
      EXPECT_EQ(found.best[k].score, expected[k].score);
    }
    double sum = 0;
    for (const ScoredSpan& each : expected) sum += std::exp(each.score);
    EXPECT_NEAR(std::exp(found.log_sum), sum, 1e-9 * (1 + sum));
  }
}

TEST(BestSpans, LargeScoresDoNotOverflow) {
  const std::vector<float> start = {1000, 1000};
  const std::vector<float> end = {1000, -1e9F};
  const BestSpans found =
      best_spans({start, end}, {.begin = 0, .starts_end = 2, .end = 2, .max_length = 2});
  EXPECT_EQ(found.log_sum, 2000);
  EXPECT_EQ(found.best[0].last, 0U);
}

TEST(BestSpans, NoneMayBe) {
  const std::vector<float> scores = {1, 2};
  const BestSpans found =
      best_spans({scores, scores}, {.begin = 1, .starts_end = 1, .end = 2, .max_length = 2});
  EXPECT_TRUE(found.best.empty());
  EXPECT_EQ(found.log_sum, -std::numeric_limits<double>::infinity());
}

TEST(BestSpans, RefusesLimitsThatDoNotFit) {
  const std::vector<float> scores = {1, 2};
  EXPECT_THROW(best_spans({scores, scores}, {.begin = 0, .starts_end = 3, .end = 3}), UsageError);
  EXPECT_THROW(
      best_spans({scores, scores}, {.begin = 0, .starts_end = 2, .end = 2, .max_length = 0}),
      UsageError);
  EXPECT_THROW(best_spans({scores, {}}, {.begin = 0, .starts_end = 1, .end = 1}), UsageError);
}

}  // namespace
}  // namespace heed::inference
