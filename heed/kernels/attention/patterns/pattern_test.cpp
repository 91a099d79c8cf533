// Every pattern against its definition pair by pair, over random rectangles.
#include "heed/kernels/attention/patterns/pattern.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "heed/kernels/attention/patterns/graph.h"
#include "heed/kernels/attention/patterns/joined_pattern.h"
#include "heed/kernels/attention/patterns/lengths.h"
#include "heed/kernels/attention/patterns/table.h"
#include "heed/kernels/attention/patterns/tokens.h"
#include "heed/kernels/attention/patterns/window.h"

namespace heed::kernels {
namespace {

constexpr int64_t kBatch = 3;
constexpr int64_t kHeads = 2;

using Random = std::mt19937_64;

int64_t uniform(Random& random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

// What a pattern says of one pair.
using Predicate = std::function<bool(int64_t b, int64_t h, int64_t i, int64_t j)>;

struct Case {
  int64_t queries = 0;
  int64_t keys = 0;
  PatternPtr pattern;
  Predicate allowed;
  bool joined = false;  // kEmpty and kFull need not be found
};

Range random_range(Random& random, int64_t count, int64_t longest) {
  const int64_t begin = uniform(random, 0, count - 1);
  return {begin, uniform(random, begin + 1, std::min(count, begin + longest))};
}

void check_cover(const Case& one, int64_t b, int64_t h, Range queries, Range keys) {
  int64_t found = 0;
  for (int64_t i = queries.begin; i < queries.end; ++i) {
    for (int64_t j = keys.begin; j < keys.end; ++j) found += one.allowed(b, h, i, j);
  }
  const Cover right = found == 0                              ? Cover::kEmpty
                      : found == queries.size() * keys.size() ? Cover::kFull
                                                              : Cover::kPartial;
  const Cover cover = one.pattern->cover(b, h, queries, keys);
  if (one.joined && cover == Cover::kPartial) return;
  ASSERT_EQ(cover, right) << "queries " << queries.begin << " to " << queries.end << ", keys "
                          << keys.begin << " to " << keys.end;
}

void check_bits(const Case& one, int64_t b, int64_t h, Range queries, Range keys) {
  std::vector<uint64_t> columns(keys.size(), 0xdeadbeef);
  one.pattern->allowed(b, h, queries, keys, columns.data());
  for (int64_t j = 0; j < keys.size(); ++j) {
    uint64_t right = 0;
    for (int64_t i = 0; i < queries.size(); ++i) {
      right |= uint64_t{one.allowed(b, h, queries.begin + i, keys.begin + j)} << i;
    }
    ASSERT_EQ(columns[j], right) << "queries " << queries.begin << " to " << queries.end << ", key "
                                 << keys.begin + j;
  }
}

void check(Random& random, const Case& one) {
  for (int repeat = 0; repeat < 60; ++repeat) {
    const int64_t b = one.pattern->varies_by_batch() ? uniform(random, 0, kBatch - 1) : 0;
    const int64_t h = one.pattern->varies_by_head() ? uniform(random, 0, kHeads - 1) : 0;
    const int64_t longest = repeat % 3 == 0 ? 4 : repeat % 3 == 1 ? 64 : 300;
    const Range queries = random_range(random, one.queries, longest);
    const Range keys = random_range(random, one.keys, longest);
    check_cover(one, b, h, queries, keys);
    check_bits(one, b, h, {queries.begin, std::min(queries.end, queries.begin + 64)}, keys);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// --- how to make a random pattern of each kind, with its definition -----------------------------

struct Sizes {
  int64_t queries;
  int64_t keys;
};

Case window_case(Random& random, Sizes n, int64_t left, int64_t right, int64_t dilation) {
  const int64_t offset = uniform(random, 0, 1) == 0 ? 0 : n.keys - n.queries;
  return {
      n.queries, n.keys,
      window_pattern({.left = left, .right = right, .dilation = dilation, .query_offset = offset}),
      [=](int64_t, int64_t, int64_t i, int64_t j) {
        const int64_t distance = j - i - offset;
        return (left < 0 || distance >= -left * dilation) &&
               (right < 0 || distance <= right * dilation) && distance % dilation == 0;
      }};
}

Case causal_case(Random& random, Sizes n) { return window_case(random, n, -1, 0, 1); }

Case plain_window_case(Random& random, Sizes n) {
  return window_case(random, n, uniform(random, -1, 40), uniform(random, -1, 40), 1);
}

Case dilated_case(Random& random, Sizes n) {
  return window_case(random, n, uniform(random, -1, 9), uniform(random, -1, 9),
                     uniform(random, 2, 70));
}

Case global_case(Random& random, Sizes n) {
  const int64_t count = uniform(random, 0, 20);
  const int64_t offset = n.keys - n.queries;
  return {n.queries, n.keys, global_tokens_pattern(count, offset),
          [=](int64_t, int64_t, int64_t i, int64_t j) { return j < count || i + offset < count; }};
}

std::vector<int64_t> random_lengths(Random& random, int64_t most) {
  std::vector<int64_t> lengths(kBatch);
  for (int64_t& length : lengths) length = uniform(random, 0, most);
  return lengths;
}

Case prefix_case(Random& random, Sizes n) {
  auto lengths = random_lengths(random, n.keys);
  if (uniform(random, 0, 1) == 0) lengths.resize(1);
  const int64_t offset = n.keys - n.queries;
  return {n.queries, n.keys, prefix_lm_pattern(lengths, offset),
          [=](int64_t b, int64_t, int64_t i, int64_t j) {
            return j < lengths[lengths.size() > 1 ? b : 0] || j <= i + offset;
          }};
}

Case padded_case(Random& random, Sizes n) {
  const auto keys = random_lengths(random, n.keys);
  auto queries = random_lengths(random, n.queries);
  if (uniform(random, 0, 1) == 0) queries.clear();
  return {n.queries, n.keys, padded_pattern({.keys = keys, .queries = queries}),
          [=](int64_t b, int64_t, int64_t i, int64_t j) {
            return j < keys[b] && (queries.empty() || i < queries[b]);
          }};
}

std::vector<int64_t> random_offsets(Random& random, size_t sequences, int64_t most) {
  std::vector<int64_t> offsets(sequences + 1);
  for (int64_t& offset : offsets) offset = uniform(random, 0, most);
  offsets[0] = 0;
  std::sort(offsets.begin(), offsets.end());
  return offsets;
}

Case packed_case(Random& random, Sizes n) {
  const auto count = static_cast<size_t>(uniform(random, 1, 9));
  const auto queries = random_offsets(random, count, n.queries);
  const auto keys = random_offsets(random, count, n.keys);
  return {n.queries, n.keys, packed_pattern({.queries = queries, .keys = keys}),
          [=](int64_t, int64_t, int64_t i, int64_t j) {
            for (size_t s = 0; s < count; ++s) {
              if (queries[s] <= i && i < queries[s + 1] && keys[s] <= j && j < keys[s + 1]) {
                return true;
              }
            }
            return false;
          }};
}

// A table of booleans in runs, so that whole rectangles are full or empty now and then.
std::shared_ptr<uint8_t[]> random_table(Random& random, int64_t count) {
  std::shared_ptr<uint8_t[]> table(new uint8_t[count]);
  const int64_t run = uniform(random, 1, 200);
  for (int64_t i = 0; i < count; ++i) {
    table[i] = i % run == 0 || i == 0 ? uniform(random, 0, 1) == 1 : table[i - 1];
  }
  return table;
}

Case block_case(Random& random, Sizes n) {
  const int64_t query_block = uniform(random, 1, 50);
  const int64_t key_block = uniform(random, 1, 50);
  const int64_t rows = (n.queries + query_block - 1) / query_block;
  const int64_t columns = (n.keys + key_block - 1) / key_block;
  const auto table = random_table(random, kBatch * kHeads * rows * columns);
  const int64_t batch = uniform(random, 0, 1) * kHeads * rows * columns;
  const int64_t head = uniform(random, 0, 1) * rows * columns;
  return {n.queries, n.keys,
          block_sparse_pattern(
              {.table =
                   {.data = table.get(), .batch = batch, .head = head, .row = columns, .column = 1},
               .query_block = query_block,
               .key_block = key_block,
               .owner = table}),
          [=](int64_t b, int64_t h, int64_t i, int64_t j) {
            return table[b * batch + h * head + i / query_block * columns + j / key_block];
          }};
}

Case mask_case(Random& random, Sizes n) {
  const int64_t rows = uniform(random, 0, 3) == 0 ? 1 : n.queries;
  const auto table = random_table(random, kBatch * kHeads * rows * n.keys);
  const int64_t batch = uniform(random, 0, 1) * kHeads * rows * n.keys;
  const int64_t head = uniform(random, 0, 1) * rows * n.keys;
  const int64_t row = rows == 1 ? 0 : n.keys;
  return {n.queries, n.keys,
          mask_pattern({.data = table.get(), .batch = batch, .head = head, .row = row},
                       {.batch = batch == 0 ? 1 : kBatch,
                        .heads = head == 0 ? 1 : kHeads,
                        .queries = rows,
                        .keys = n.keys}),
          [=](int64_t b, int64_t h, int64_t i, int64_t j) {
            return table[b * batch + h * head + i * row + j];
          }};
}

Case graph_case(Random& random, Sizes n) {
  struct Lists {
    std::vector<int64_t> offsets{0};
    std::vector<int64_t> columns;
  };
  const auto lists = std::make_shared<Lists>();
  for (int64_t i = 0; i < n.queries; ++i) {
    const int64_t share = uniform(random, 0, 4);
    for (int64_t j = 0; j < n.keys; ++j) {
      if (uniform(random, 1, 4) <= share) lists->columns.push_back(j);
    }
    lists->offsets.push_back(static_cast<int64_t>(lists->columns.size()));
  }
  return {
      n.queries, n.keys,
      graph_pattern({.offsets = lists->offsets.data(), .columns = lists->columns.data()}, lists),
      [=](int64_t, int64_t, int64_t i, int64_t j) {
        return std::binary_search(lists->columns.begin() + lists->offsets[i],
                                  lists->columns.begin() + lists->offsets[i + 1], j);
      }};
}

struct Maker {
  const char* name;
  Case (*make)(Random& random, Sizes sizes);
};

constexpr Maker kMakers[] = {
    {"causal", causal_case}, {"window", plain_window_case}, {"dilated", dilated_case},
    {"global", global_case}, {"prefix", prefix_case},       {"padded", padded_case},
    {"packed", packed_case}, {"block", block_case},         {"mask", mask_case},
    {"graph", graph_case},
};

Sizes random_sizes(Random& random) { return {uniform(random, 1, 200), uniform(random, 1, 300)}; }

TEST(Patterns, EachIsItsDefinition) {
  for (const Maker& maker : kMakers) {
    SCOPED_TRACE(maker.name);
    Random random(1);
    for (int repeat = 0; repeat < 40; ++repeat) {
      check(random, maker.make(random, random_sizes(random)));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Patterns, JoinedPairByPair) {
  for (const Maker& first : kMakers) {
    for (const Maker& second : kMakers) {
      SCOPED_TRACE(std::string(first.name) + " with " + second.name);
      Random random(2);
      const Sizes sizes = random_sizes(random);
      const Case a = first.make(random, sizes);
      const Case b = second.make(random, sizes);
      const auto both_allow = [&](int64_t batch, int64_t h, int64_t i, int64_t j) {
        return a.allowed(batch, h, i, j) && b.allowed(batch, h, i, j);
      };
      const auto one_allows = [&](int64_t batch, int64_t h, int64_t i, int64_t j) {
        return a.allowed(batch, h, i, j) || b.allowed(batch, h, i, j);
      };
      check(random, {sizes.queries, sizes.keys, both(a.pattern, b.pattern), both_allow, true});
      check(random, {sizes.queries, sizes.keys, either(a.pattern, b.pattern), one_allows, true});
      if (HasFatalFailure()) return;
    }
  }
}

TEST(Patterns, JoinedWithFull) {
  const PatternPtr causal = window_pattern({.right = 0});
  EXPECT_EQ(both(causal, nullptr), causal);
  EXPECT_EQ(both(nullptr, causal), causal);
  EXPECT_EQ(either(causal, nullptr), nullptr);
  EXPECT_EQ(both(nullptr, nullptr), nullptr);
}

TEST(Patterns, HugeWindowsDoNotOverflow) {
  const auto pattern =
      window_pattern({.left = INT64_MAX, .right = INT64_MAX, .dilation = 3, .query_offset = 5});
  uint64_t bits = 0;
  pattern->allowed(0, 0, {0, 4}, {5, 6}, &bits);
  EXPECT_EQ(bits, 0b1001u);
  EXPECT_EQ(window_pattern({.left = INT64_MAX})->cover(0, 0, {0, 4}, {0, 9}), Cover::kFull);
}

}  // namespace
}  // namespace heed::kernels
