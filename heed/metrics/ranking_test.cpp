#include "heed/metrics/ranking.h"

#include <gtest/gtest.h>

#include <cmath>

namespace heed::metrics {
namespace {

TEST(Ranking, CountsWhatTheFirstItemsHold) {
  Ranking ranking;
  for (const int64_t rank : {0, 2, 9, 10}) ranking.add(rank);
  EXPECT_EQ(ranking.count(), 4);
  EXPECT_DOUBLE_EQ(ranking.hit_rate(10), 0.75);
  EXPECT_DOUBLE_EQ(ranking.hit_rate(1), 0.25);
  EXPECT_DOUBLE_EQ(ranking.ndcg(10), (1 + 1 / 2.0 + 1 / std::log2(11)) / 4);
  EXPECT_DOUBLE_EQ(ranking.mean_reciprocal_rank(), (1 + 1 / 3.0 + 1 / 10.0 + 1 / 11.0) / 4);
}

TEST(Ranking, IsNothingWithoutLists) {
  EXPECT_EQ(Ranking().ndcg(10), 0);
  EXPECT_EQ(Ranking().hit_rate(10), 0);
}

// 100 candidates of one score: the wanted one stands in their middle.
TEST(Ranking, EqualScoresAreWorthChance) {
  EXPECT_EQ(rank_among(0, 100), 50);
  EXPECT_EQ(rank_among(3, 0), 3);
  EXPECT_EQ(rank_among(3, 1), 4);
}

}  // namespace
}  // namespace heed::metrics
