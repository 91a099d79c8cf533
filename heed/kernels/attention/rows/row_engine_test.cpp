#include "heed/kernels/attention/rows/row_engine.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include "heed/kernels/attention/patterns/graph.h"
#include "heed/kernels/attention/testing/engine_test.h"

namespace heed::kernels {
namespace {

using testing::check_engine;
using testing::EngineFunctions;
using testing::EngineRun;
using testing::run_engine;
using testing::TestOptions;
using testing::TestProblem;

constexpr EngineFunctions kRows = {rows_forward, rows_backward};

struct Lists {
  std::vector<int64_t> offsets{0};
  std::vector<int64_t> columns;

  void end_row() { offsets.push_back(static_cast<int64_t>(columns.size())); }
};

PatternPtr pattern_of(Lists lists) {
  auto owner = std::make_shared<Lists>(std::move(lists));
  return graph_pattern({owner->offsets.data(), owner->columns.data()}, owner);
}

// Each pair with the given probability; every fifth query has no key, and the third sees all.
PatternPtr random_graph(int64_t queries, int64_t keys, double share, uint32_t seed) {
  std::mt19937 random(seed);
  std::bernoulli_distribution edge(share);
  Lists lists;
  for (int64_t i = 0; i < queries; ++i) {
    for (int64_t j = 0; j < keys; ++j) {
      if (i == 2 || (i % 5 != 4 && edge(random))) lists.columns.push_back(j);
    }
    lists.end_row();
  }
  return pattern_of(std::move(lists));
}

TestOptions graph_options(int64_t queries, int64_t keys, int64_t size) {
  TestOptions o;
  o.shape = {.batch = 2,
             .heads = 4,
             .key_heads = 2,
             .queries = queries,
             .keys = keys,
             .size = size,
             .value_size = size + 1};
  o.pattern = random_graph(queries, keys, 0.3, 5);
  o.grad_lse = true;
  return o;
}

TEST(RowEngine, OddSizes) {
  for (const int64_t n : {1, 7, 17, 33, 65, 130}) {
    for (const int64_t size : {1, 7, 16, 33, 65}) {
      SCOPED_TRACE(n);
      SCOPED_TRACE(size);
      check_engine(kRows, graph_options(n, n + 3, size));
    }
  }
}

TEST(RowEngine, HeadsSideBySide) {
  for (const int64_t size : {5, 16, 64}) {
    TestOptions o = graph_options(33, 33, size);
    o.rows_first = true;
    check_engine(kRows, o);
    o.row_padding = 3;
    check_engine(kRows, o);
  }
}

TEST(RowEngine, BFloat16) {
  for (const bool rows_first : {false, true}) {
    for (const int64_t size : {7, 16, 65}) {
      TestOptions o = graph_options(33, 65, size);
      o.type = DataType::kBFloat16;
      o.rows_first = rows_first;
      check_engine(kRows, o);
    }
  }
}

TEST(RowEngine, EveryScore) {
  for (const char* score : {"dot", "cosine", "additive"}) {
    SCOPED_TRACE(score);
    for (const DataType type : {DataType::kFloat32, DataType::kBFloat16}) {
      TestOptions o = graph_options(33, 70, 17);
      o.score = score;
      o.type = type;
      check_engine(kRows, o);
    }
  }
}

TEST(RowEngine, EveryModifier) {
  for (int kind = 0; kind < 9; ++kind) {
    SCOPED_TRACE(kind);
    TestOptions o = graph_options(65, 70, 16);
    if (kind == 0) o.softcap = 2;
    if (kind == 1) o.alibi = true;
    if (kind == 2) o.relative_reach = 9;
    if (kind >= 3 && kind < 8) o.dense = true;
    if (kind == 4) o.dense_batch = false;
    if (kind == 5) o.dense_head = false;
    if (kind == 6) o.dense_row = false;
    if (kind == 7) o.dense_batch = o.dense_head = o.dense_row = false;
    if (kind == 8) {
      o.relative_reach = 3;
      o.relative_shared = true;
      o.softcap = 3;
      o.dropout = 0.3F;
    }
    check_engine(kRows, o);
    o.dense_type = DataType::kBFloat16;
    o.rows_first = true;
    check_engine(kRows, o);
  }
}

TEST(RowEngine, Dropout) {
  for (const char* score : {"dot", "cosine"}) {
    TestOptions o = graph_options(65, 130, 16);
    o.score = score;
    o.dropout = 0.4F;
    check_engine(kRows, o);
  }
}

TEST(RowEngine, LargeLogits) {
  TestOptions o = graph_options(33, 65, 16);
  o.score_scale = 3000;
  check_engine(kRows, o);
}

// A graph of some size, so that there really is more than one thread.
TEST(RowEngine, SameBitsOnAnyNumberOfThreads) {
  TestOptions o;
  o.shape = {.batch = 1,
             .heads = 8,
             .key_heads = 8,
             .queries = 3000,
             .keys = 3000,
             .size = 16,
             .value_size = 16};
  std::mt19937 random(3);
  Lists lists;
  for (int64_t i = 0; i < 3000; ++i) {
    const int64_t degree = i == 17 ? 2000 : static_cast<int64_t>(random() % 14);
    for (int64_t e = 0; e < degree; ++e) {
      lists.columns.push_back(static_cast<int64_t>(random() % 3000));
    }
    lists.end_row();
  }
  o.pattern = pattern_of(std::move(lists));
  o.relative_reach = 100;
  o.alibi = true;
  o.dropout = 0.1F;
  for (const bool rows_first : {false, true}) {
    o.rows_first = rows_first;
    const TestProblem t(o);
    const EngineRun one = run_engine(kRows, t, OneWorker());
    for (const int threads : {2, 3, 4, 7}) {
      EXPECT_TRUE(one == run_engine(kRows, t, testing::ThreadWorkers(threads))) << threads;
    }
  }
}

// An entry written twice weighs as much as one with a bias of ln 2.
TEST(RowEngine, EntriesCountAsWritten) {
  TestOptions o;
  o.shape = {.batch = 1,
             .heads = 1,
             .key_heads = 1,
             .queries = 2,
             .keys = 3,
             .size = 16,
             .value_size = 16};
  Lists twice;
  twice.columns = {0, 1, 1, 2, 2};
  twice.offsets = {0, 3, 5};
  Lists once;
  once.columns = {0, 1, 2};
  once.offsets = {0, 2, 3};
  o.pattern = pattern_of(twice);
  const EngineRun run = run_engine(kRows, TestProblem(o), OneWorker());
  o.pattern = pattern_of(once);
  TestProblem biased(o);
  const float bias[6] = {0, std::log(2.0F), 0, 0, 0, std::log(2.0F)};
  biased.problem.modifiers.dense = {bias, DataType::kFloat32, 0, 0, 3};
  std::vector<float> grad_dense(6);
  const EngineRun expected = run_engine({rows_forward, nullptr}, biased, OneWorker());
  for (size_t part = 0; part < 2; ++part) {
    for (size_t i = 0; i < expected.parts[part].second.size(); ++i) {
      EXPECT_NEAR(run.parts[part].second[i], expected.parts[part].second[i], 1e-6);
    }
  }
}

TEST(RowEngine, NanInKeysThatNobodySees) {
  TestOptions o = graph_options(33, 40, 16);
  Lists lists;
  for (int64_t i = 0; i < 33; ++i) {
    for (int64_t j = 0; j < 40; j += 1 + i % 3) {
      if (j % 8 != 3) lists.columns.push_back(j);
    }
    lists.end_row();
  }
  o.pattern = pattern_of(std::move(lists));
  for (const char* score : {"dot", "cosine"}) {
    o.score = score;
    const TestProblem clean(o);
    TestProblem dirty(o);
    for (int64_t h = 0; h < 2; ++h) {
      for (int64_t j = 3; j < 40; j += 8) {
        dirty.key.set(dirty.key.at(1, h, j, 5), NAN);
        dirty.value.set(dirty.value.at(1, h, j, 6), NAN);
      }
    }
    EXPECT_TRUE(run_engine(kRows, clean, OneWorker()) == run_engine(kRows, dirty, OneWorker()));
  }
}

TEST(RowEngine, NanInALiveKeyComesOut) {
  TestOptions o = graph_options(5, 6, 16);
  Lists lists;
  for (int64_t i = 0; i < 5; ++i) {
    lists.columns.push_back(i);
    lists.end_row();
  }
  o.pattern = pattern_of(std::move(lists));
  TestProblem t(o);
  t.key.set(t.key.at(0, 0, 2, 0), NAN);
  const EngineRun run = run_engine(kRows, t, OneWorker());
  const std::vector<float>& output = run.parts[0].second;
  EXPECT_TRUE(std::isnan(output[2 * 17]));
  EXPECT_FALSE(std::isnan(output[1 * 17]));
  EXPECT_FALSE(std::isnan(output[3 * 17]));
  for (size_t i = 0; i < 5; ++i) {  // of the first head, where query i and key i see each other
    EXPECT_EQ(std::isnan(run.parts[2].second[i * 16]), i == 2) << "grad_query " << i;
    EXPECT_EQ(std::isnan(run.parts[3].second[i * 16]), i == 2) << "grad_key " << i;
    EXPECT_EQ(std::isnan(run.parts[4].second[i * 17]), i == 2) << "grad_value " << i;
  }
}

TEST(RowEngine, EmptyShapes) {
  for (const int64_t batch : {0, 1}) {
    for (const int64_t queries : {0, 4}) {
      for (const int64_t keys : {0, 4}) {
        TestOptions o;
        o.shape = {.batch = batch,
                   .heads = 2,
                   .key_heads = 2,
                   .queries = queries,
                   .keys = keys,
                   .size = 16,
                   .value_size = 16};
        Lists lists;
        for (int64_t i = 0; i < queries; ++i) lists.end_row();
        o.pattern = pattern_of(std::move(lists));
        check_engine(kRows, o);
      }
    }
  }
}

TEST(RowEngine, RefusesWhatHasNoLists) {
  TestOptions o = graph_options(5, 6, 16);
  TestProblem t(o);
  EXPECT_EQ(rows_refuse_forward(t.problem), nullptr);
  t.problem.pattern = nullptr;
  EXPECT_STREQ(rows_refuse_forward(t.problem), "the pattern is not given as lists of keys");
}

}  // namespace
}  // namespace heed::kernels
