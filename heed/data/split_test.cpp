#include "heed/data/split.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "heed/base/error.h"

namespace heed::data {
namespace {

int64_t count(const std::vector<bool>& held) { return std::count(held.begin(), held.end(), true); }

TEST(Split, TakesTheSameShareOfEachKindAndKeepsGroupsTogether) {
  std::vector<SplitKey> keys;
  for (int i = 0; i < 400; ++i) {
    keys.push_back({.kind = i < 40 ? "few" : "many", .group = std::to_string(i / 2)});
  }
  const auto held = held_back(keys, 0.1, 3);
  EXPECT_EQ(count(held), 40);
  EXPECT_EQ(std::count(held.begin(), held.begin() + 40, true), 4);
  for (size_t i = 0; i < held.size(); i += 2) EXPECT_EQ(held[i], held[i + 1]);
  EXPECT_EQ(held, held_back(keys, 0.1, 3));
  EXPECT_NE(held, held_back(keys, 0.1, 4));
}

TEST(Split, LeavesSomethingOnEachSideWhereItCan) {
  const std::vector<SplitKey> three = {{"a", "1"}, {"a", "2"}, {"b", "3"}};
  EXPECT_EQ(count(held_back(three, 0.01, 1)), 1);
  EXPECT_FALSE(held_back(three, 0.01, 1)[2]);  // the only one of its kind
  EXPECT_EQ(count(held_back(three, 0, 1)), 0);
  const std::vector<SplitKey> one = {{"a", "1"}};
  EXPECT_EQ(count(held_back(one, 0.9, 1)), 0);
  EXPECT_TRUE(held_back({}, 0.5, 1).empty());
  EXPECT_THROW(held_back(one, 1, 1), UsageError);
}

}  // namespace
}  // namespace heed::data
