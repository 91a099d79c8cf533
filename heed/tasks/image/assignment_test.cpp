#include "heed/tasks/image/assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

#include "heed/base/error.h"

namespace heed::tasks {
namespace {

double cost_of(const std::vector<double>& costs, int64_t columns,
               const std::vector<int64_t>& chosen) {
  double sum = 0;
  for (size_t i = 0; i < chosen.size(); ++i) {
    sum += costs[i * static_cast<size_t>(columns) + static_cast<size_t>(chosen[i])];
  }
  return sum;
}

// Of all pairings.
double smallest_cost(const std::vector<double>& costs, int64_t rows, int64_t columns) {
  std::vector<int64_t> order(static_cast<size_t>(columns));
  std::iota(order.begin(), order.end(), 0);
  double best = std::numeric_limits<double>::infinity();
  do {
    best = std::min(best, cost_of(costs, columns, {order.begin(), order.begin() + rows}));
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

void expect_no_column_twice(std::vector<int64_t> chosen, int64_t columns) {
  std::sort(chosen.begin(), chosen.end());
  EXPECT_EQ(std::adjacent_find(chosen.begin(), chosen.end()), chosen.end());
  EXPECT_GE(chosen.front(), 0);
  EXPECT_LT(chosen.back(), columns);
}

TEST(Assignment, IsAsCheapAsTheBestOfAll) {
  std::mt19937 source(7);
  for (int drawn = 0; drawn < 300; ++drawn) {
    const auto columns = static_cast<int64_t>(1 + source() % 6);
    const auto rows = static_cast<int64_t>(1 + source() % static_cast<unsigned>(columns));
    std::vector<double> costs(static_cast<size_t>(rows * columns));
    // Every other time from few values, so that many pairings cost the same; some below 0.
    for (double& cost : costs) {
      cost = drawn % 2 == 0 ? std::uniform_real_distribution<double>(-3, 5)(source)
                            : static_cast<double>(source() % 4) - 1;
    }
    const std::vector<int64_t> chosen = cheapest_assignment(costs, rows, columns);
    ASSERT_EQ(std::ssize(chosen), rows);
    expect_no_column_twice(chosen, columns);
    EXPECT_NEAR(cost_of(costs, columns, chosen), smallest_cost(costs, rows, columns), 1e-12);
  }
}

// Each row alone would take the first column; the pairing that does so costs more.
TEST(Assignment, ARowGivesWayWhereThatIsCheaper) {
  EXPECT_EQ(cheapest_assignment({1, 2, 9,  //
                                 1, 5, 9},
                                2, 3),
            (std::vector<int64_t>{1, 0}));
}

// Of cost i · j with as many rows as columns: the largest row takes the smallest column.
TEST(Assignment, LargeOnesAreExact) {
  constexpr int64_t kSize = 60;
  std::vector<double> costs;
  for (int64_t i = 0; i < kSize; ++i) {
    for (int64_t j = 0; j < kSize; ++j) costs.push_back(static_cast<double>(i * j));
  }
  const std::vector<int64_t> chosen = cheapest_assignment(costs, kSize, kSize);
  for (int64_t i = 0; i < kSize; ++i) EXPECT_EQ(chosen[static_cast<size_t>(i)], kSize - 1 - i);
}

TEST(Assignment, NoRowsHaveNoColumns) {
  EXPECT_TRUE(cheapest_assignment({}, 0, 3).empty());
  EXPECT_TRUE(cheapest_assignment({}, 0, 0).empty());
}

TEST(Assignment, RefusesWhatHasNoAnswer) {
  EXPECT_THROW(cheapest_assignment({1, 2}, 2, 1), UsageError);
  EXPECT_THROW(cheapest_assignment({1, 2, 3}, 1, 2), UsageError);
  EXPECT_THROW(cheapest_assignment({std::numeric_limits<double>::quiet_NaN()}, 1, 1), UsageError);
}

}  // namespace
}  // namespace heed::tasks
