#include "heed/kernels/attention/rows/decode_engine.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "heed/kernels/attention/patterns/table.h"
#include "heed/kernels/attention/patterns/window.h"
#include "heed/kernels/attention/testing/engine_test.h"

namespace heed::kernels {
namespace {

using testing::check_engine;
using testing::EngineFunctions;
using testing::EngineRun;
using testing::run_engine;
using testing::TestOptions;
using testing::TestProblem;

constexpr EngineFunctions kDecode = {decode_forward, nullptr};

TestOptions decode_options(int64_t queries, int64_t keys, int64_t size) {
  TestOptions o;
  o.shape = {.batch = 2,
             .heads = 6,
             .key_heads = 2,
             .queries = queries,
             .keys = keys,
             .size = size,
             .value_size = size + 1};
  return o;
}

// Every pair with a probability of one half, another one for each head; the last query sees none.
PatternPtr random_mask(const Shape& shape, bool by_head) {
  const int64_t heads = by_head ? shape.heads : 1;
  const auto count = static_cast<size_t>(heads * shape.queries * shape.keys);
  const std::unique_ptr<uint8_t[]> mask(new uint8_t[count]);
  std::mt19937 random(11);
  for (size_t i = 0; i < count; ++i) {
    const auto query = static_cast<int64_t>(i) / shape.keys % shape.queries;
    mask[i] = random() % 2 == 0 && query + 1 < shape.queries;
  }
  const Table table{mask.get(), 0, by_head ? shape.queries * shape.keys : 0, shape.keys, 1};
  return mask_pattern(table, {1, heads, shape.queries, shape.keys});
}

TEST(DecodeEngine, OddSizes) {
  for (const int64_t queries : {1, 2, 7}) {
    for (const int64_t keys : {1, 63, 65, 257, 700}) {
      for (const int64_t size : {1, 17, 64}) {
        SCOPED_TRACE(queries);
        SCOPED_TRACE(keys);
        SCOPED_TRACE(size);
        check_engine(kDecode, decode_options(queries, keys, size));
      }
    }
  }
}

TEST(DecodeEngine, LayoutsAndBFloat16) {
  for (const bool rows_first : {false, true}) {
    for (const DataType type : {DataType::kFloat32, DataType::kBFloat16}) {
      TestOptions o = decode_options(3, 600, 33);
      o.rows_first = rows_first;
      o.row_padding = 5;
      o.type = type;
      check_engine(kDecode, o);
    }
  }
}

TEST(DecodeEngine, ScoresAndModifiers) {
  for (const char* score : {"dot", "cosine", "additive"}) {
    SCOPED_TRACE(score);
    TestOptions o = decode_options(4, 300, 20);
    o.score = score;
    check_engine(kDecode, o);
    o.softcap = 3;
    o.alibi = true;
    o.relative_reach = 40;
    o.dense = true;
    o.dropout = 0.2F;
    check_engine(kDecode, o);
  }
}

TEST(DecodeEngine, Patterns) {
  for (const int64_t queries : {1, 5}) {
    TestOptions o = decode_options(queries, 530, 16);
    o.pattern = window_pattern({.right = 0, .query_offset = 530 - queries});
    check_engine(kDecode, o);
    o.pattern = window_pattern({.left = 70, .right = 0, .query_offset = 530 - queries});
    check_engine(kDecode, o);
    o.pattern = random_mask(o.shape, false);
    check_engine(kDecode, o);
    o.pattern = random_mask(o.shape, true);
    check_engine(kDecode, o);
  }
}

TEST(DecodeEngine, LargeLogits) {
  TestOptions o = decode_options(64, 300, 16);  // many rows, so that luck evens out
  o.score_scale = 3000;
  check_engine(kDecode, o);
}

TEST(DecodeEngine, NanInMaskedKeysIsNotRead) {
  TestOptions o = decode_options(2, 300, 16);
  o.pattern = window_pattern({.left = 20, .right = 0, .query_offset = 200});
  const TestProblem clean(o);
  TestProblem dirty(o);
  for (const int64_t key : {0, 179, 202, 299}) {
    dirty.key.set(dirty.key.at(1, 1, key, 3), NAN);
    dirty.value.set(dirty.value.at(1, 1, key, 3), NAN);
  }
  EXPECT_TRUE(run_engine(kDecode, clean, OneWorker()) == run_engine(kDecode, dirty, OneWorker()));
}

TEST(DecodeEngine, SameBitsOnAnyNumberOfThreads) {
  TestOptions o = decode_options(1, 5000, 64);
  o.dropout = 0.1F;
  const TestProblem t(o);
  const EngineRun one = run_engine(kDecode, t, OneWorker());
  for (const int threads : {2, 3, 4, 7}) {
    EXPECT_TRUE(one == run_engine(kDecode, t, testing::ThreadWorkers(threads))) << threads;
  }
}

TEST(DecodeEngine, SaysWhyItRefuses) {
  TestOptions o = decode_options(1, 300, 16);
  EXPECT_EQ(decode_refuses_forward(TestProblem(o).problem), nullptr);
  o.shape.queries = 7;
  EXPECT_STREQ(decode_refuses_forward(TestProblem(o).problem), "more than 6 queries");
  o.shape.queries = 1;
  o.shape.keys = 100;
  TestProblem few(o);
  EXPECT_STREQ(decode_refuses_forward(few.problem), "fewer than 128 keys, and a backward pass");
  few.problem.forward_only = true;
  EXPECT_EQ(decode_refuses_forward(few.problem), nullptr);
  o.shape.keys = 300;
  o.dense = true;
  TestProblem biased(o);
  EXPECT_STREQ(decode_refuses_forward(biased.problem), "a dense bias, and a backward pass");
  biased.problem.forward_only = true;
  EXPECT_EQ(decode_refuses_forward(biased.problem), nullptr);
}

}  // namespace
}  // namespace heed::kernels
