#include "heed/nn/attention/key_value_cache.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed::nn {
namespace {

TEST(KeyValueCache, GrowsByDoublingAndKeepsWhatItHolds) {
  at::manual_seed(1);
  const at::Tensor key = at::randn({2, 3, 200, 4});
  const at::Tensor value = at::randn({2, 3, 200, 5});
  KeyValueCache cache;
  int64_t begin = 0;
  std::vector<int64_t> capacities;
  for (const int64_t count : {10, 1, 60, 1, 100, 28}) {
    cache.append(key.slice(2, begin, begin + count), value.slice(2, begin, begin + count),
                 {.start = begin});
    begin += count;
    EXPECT_TRUE(at::equal(cache.key(), key.slice(2, 0, begin)));
    EXPECT_TRUE(at::equal(cache.value(), value.slice(2, 0, begin)));
    capacities.push_back(cache.capacity());
  }
  EXPECT_EQ(capacities, (std::vector<int64_t>{16, 16, 71, 142, 284, 284}));
  EXPECT_EQ(cache.length(), 200);
}

TEST(KeyValueCache, TakesRowsAtDifferentPlaces) {
  const at::Tensor first = at::randn({2, 1, 6, 4});
  const at::Tensor one = at::randn({2, 1, 1, 4});
  const at::Tensor two = at::randn({2, 1, 2, 4});
  KeyValueCache cache;
  cache.append(first, first, {});
  cache.append(one, one, {.starts = at::tensor({3, 6}, at::kLong)});
  cache.append(two, two, {.starts = at::tensor({4, 7}, at::kLong)});
  EXPECT_EQ(cache.length(), 9);
  EXPECT_TRUE(at::equal(cache.key()[0].slice(1, 0, 6),
                        at::cat({first[0].slice(1, 0, 3), one[0], two[0]}, 1)));
  EXPECT_TRUE(at::equal(cache.value()[1], at::cat({first[1], one[1], two[1]}, 1)));
}

TEST(KeyValueCache, SelectsRowsAgainAndAgain) {
  const at::Tensor key = at::randn({3, 2, 5, 4});
  KeyValueCache cache;
  cache.append(key, key + 1, {});
  at::Tensor rows = at::tensor({2, 2, 0, 1}, at::kLong);
  cache.select(rows);
  at::Tensor expected = key.index_select(0, rows);
  EXPECT_TRUE(at::equal(cache.key(), expected));
  for (int i = 0; i < 3; ++i) {
    rows = at::tensor({1, 3, 3, 0}, at::kLong);
    cache.select(rows);
    expected = expected.index_select(0, rows);
    EXPECT_TRUE(at::equal(cache.key(), expected));
    EXPECT_TRUE(at::equal(cache.value(), expected + 1));
  }
  EXPECT_THROW(cache.select(at::tensor({4}, at::kLong)), UsageError);
}

TEST(KeyValueCache, SelectsInPlaceWhateverMoves) {
  const at::Tensor key = at::randn({6, 2, 5, 4});
  for (const std::vector<int64_t>& chosen :
       std::vector<std::vector<int64_t>>{{0, 1, 2, 3, 4, 5},
                                         {1, 0, 3, 2, 5, 4},
                                         {1, 2, 3, 4, 5, 0},
                                         {1, 2, 0, 0, 3, 5},
                                         {5, 4},
                                         {1, 0, 5},
                                         {3, 3, 3, 3, 3, 3, 3, 2}}) {
    KeyValueCache cache;
    cache.append(key, key + 1, {});
    const at::Tensor rows = at::tensor(chosen, at::kLong);
    cache.select(rows);
    EXPECT_TRUE(at::equal(cache.key(), key.index_select(0, rows))) << rows;
    EXPECT_TRUE(at::equal(cache.value(), key.index_select(0, rows) + 1)) << rows;
    EXPECT_EQ(cache.rows(), rows.size(0));
    // Goes on with the rows that are left.
    const at::Tensor more = at::randn({rows.size(0), 2, 20, 4});
    cache.append(more, more, {.start = 5});
    EXPECT_TRUE(at::equal(cache.key(), at::cat({key.index_select(0, rows), more}, 2))) << rows;
  }
}

TEST(KeyValueCache, RefusesAGapAndAnotherBatch) {
  const at::Tensor key = at::randn({2, 1, 3, 4});
  KeyValueCache cache;
  cache.append(key, key, {});
  EXPECT_THROW(cache.append(key, key, {.start = 4}), UsageError);
  EXPECT_THROW(cache.append(key.slice(0, 0, 1), key.slice(0, 0, 1), {.start = 3}), UsageError);
}

TEST(DecoderCache, ForgetsLengthsThatAreEqual) {
  DecoderCache cache;
  cache.advance(6, at::tensor({2, 6}, at::kLong));
  EXPECT_EQ(cache.length, 6);
  EXPECT_TRUE(at::equal(cache.positions().starts, at::tensor({2, 6}, at::kLong)));
  cache.advance(4, at::tensor({4, 0}, at::kLong));
  EXPECT_FALSE(cache.lengths.defined());
  cache.advance(1);
  EXPECT_EQ(cache.positions().start, 7);
}

}  // namespace
}  // namespace heed::nn
