#include "heed/metrics/relevance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "heed/base/error.h"

namespace heed::metrics {
namespace {

// Spearman 1904: without ties, 1 − 6 Σ d² / (n (n² − 1)).
TEST(Spearman, IsTheFormulaOfRankDifferences) {
  const std::vector<double> a = {0.1, 3, 2, 8, 5}, b = {10, 20, 40, 30, 50};
  // Ranks 1 3 2 5 4 and 1 2 4 3 5.
  EXPECT_NEAR(spearman(a, b), 1 - 6 * (0 + 1 + 4 + 4 + 1) / (5.0 * 24), 1e-12);
  EXPECT_NEAR(spearman(a, a), 1, 1e-12);
  EXPECT_NEAR(spearman(a, std::vector<double>{5, 3, 4, 1, 2}), -1, 1e-12);
}

// Ranks 1, 2.5, 2.5, 4 and 1, 2, 3.5, 3.5: the correlation of those by hand.
TEST(Spearman, EqualNumbersShareTheirRanks) {
  const std::vector<double> a = {1, 2, 2, 3}, b = {0, 1, 2, 2};
  const double both = 1.5 * 1.5 + 0 + 0 + 1.5 * 1;
  EXPECT_NEAR(spearman(a, b), both / std::sqrt(4.5 * (2.25 + 0.25 + 1 + 1)), 1e-12);
}

TEST(Spearman, IsNothingWhereNothingVaries) {
  const std::vector<double> same = {2, 2, 2}, other = {1, 2, 3};
  EXPECT_EQ(spearman(same, other), 0);
  EXPECT_EQ(spearman({}, {}), 0);
  EXPECT_THROW(spearman(same, std::vector<double>{1}), UsageError);
}

TEST(Ndcg, IsTheShareOfTheBestOrder) {
  const std::vector<double> gains = {0, 1, 0, 1};
  const double best = 1 + 1 / std::log2(3);
  EXPECT_NEAR(ndcg(gains, 10), (1 / std::log2(3) + 1 / std::log2(5)) / best, 1e-12);
  EXPECT_NEAR(ndcg(gains, 3), (1 / std::log2(3)) / best, 1e-12);
  EXPECT_EQ(ndcg(std::vector<double>{3, 2, 1}, 2), 1);
  EXPECT_EQ(ndcg(std::vector<double>{0, 0}, 10), 0);
}

}  // namespace
}  // namespace heed::metrics
