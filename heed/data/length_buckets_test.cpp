#include "heed/data/length_buckets.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "heed/base/error.h"

namespace heed::data {
namespace {

std::vector<int64_t> some_lengths(int64_t count) {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < count; ++i) lengths.push_back(1 + i * 7919 % 53);
  return lengths;
}

std::vector<int64_t> flattened(const std::vector<std::vector<int64_t>>& batches) {
  std::vector<int64_t> all;
  for (const auto& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
  return all;
}

double padding_share(const std::vector<std::vector<int64_t>>& batches,
                     const std::vector<int64_t>& lengths) {
  double real = 0;
  double total = 0;
  for (const auto& batch : batches) {
    int64_t longest = 0;
    for (const int64_t i : batch) {
      longest = std::max(longest, lengths[static_cast<size_t>(i)]);
      real += static_cast<double>(lengths[static_cast<size_t>(i)]);
    }
    total += static_cast<double>(longest) * static_cast<double>(batch.size());
  }
  return 1 - real / total;
}

TEST(LengthBuckets, EachExampleOnceForEveryTail) {
  for (int64_t count = 0; count <= 70; ++count) {
    const auto lengths = some_lengths(count);
    for (const auto& batches : {length_buckets(lengths, {.batch_size = 8, .seed = 3, .window = 3}),
                                by_length(lengths, 8)}) {
      auto all = flattened(batches);
      std::sort(all.begin(), all.end());
      ASSERT_EQ(static_cast<int64_t>(all.size()), count);
      for (int64_t i = 0; i < count; ++i) ASSERT_EQ(all[static_cast<size_t>(i)], i);
      for (const auto& batch : batches) ASSERT_LE(batch.size(), 8U);
    }
  }
}

TEST(LengthBuckets, LittleIsPadding) {
  const auto lengths = some_lengths(3000);
  EXPECT_LT(padding_share(length_buckets(lengths, {.batch_size = 32, .seed = 1}), lengths), 0.05);
}

TEST(LengthBuckets, TheSeedAloneDecidesTheOrder) {
  const auto lengths = some_lengths(500);
  EXPECT_EQ(length_buckets(lengths, {.seed = 1}), length_buckets(lengths, {.seed = 1}));
  EXPECT_NE(length_buckets(lengths, {.seed = 1}), length_buckets(lengths, {.seed = 2}));
}

TEST(LengthBuckets, RefusesAnEmptyBatch) {
  EXPECT_THROW(length_buckets({1, 2}, {.batch_size = 0}), UsageError);
}

TEST(LengthBuckets, BatchesByTokensStayWithinThemPaddingIncluded) {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < 1000; ++i) lengths.push_back(i * 7 % 61);  // 0 to 60
  lengths.push_back(500);
  const auto batches = length_buckets(lengths, {.batch_tokens = 256, .seed = 3});
  std::vector<int> seen(lengths.size(), 0);
  int64_t tokens = 0;
  int64_t padded = 0;
  for (const auto& batch : batches) {
    ASSERT_FALSE(batch.empty());
    int64_t longest = 0;
    for (const int64_t example : batch) {
      const auto i = static_cast<size_t>(example);
      ++seen[i];
      tokens += lengths[i];
      longest = std::max(longest, lengths[i]);
    }
    padded += longest * static_cast<int64_t>(batch.size());
    if (batch.size() > 1) {
      EXPECT_LE(longest * static_cast<int64_t>(batch.size()), 256);
    }
  }
  for (const int count : seen) EXPECT_EQ(count, 1);
  EXPECT_LT(static_cast<double>(padded), 1.05 * static_cast<double>(tokens)) << "little padding";
  EXPECT_EQ(batches, length_buckets(lengths, {.batch_tokens = 256, .seed = 3}));
  EXPECT_NE(batches, length_buckets(lengths, {.batch_tokens = 256, .seed = 4}));
  EXPECT_TRUE(length_buckets({}, {.batch_tokens = 10}).empty());
}

}  // namespace
}  // namespace heed::data
