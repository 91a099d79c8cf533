// Edges of the tile engine (forward.cpp, backward.cpp): masked NaN, empty rows, expanded inputs,
// errors.

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "heed/base/error.h"
#include "heed/kernels/attention/patterns/lengths.h"
#include "heed/kernels/attention/patterns/table.h"
#include "heed/kernels/attention/patterns/window.h"
#include "heed/kernels/attention/testing/tile_test.h"

// ctest-timeout: 900

namespace heed::kernels {
namespace {

using namespace testing;  // of heed::kernels, not GoogleTest's

// Every array that is not a live input, at places where nothing may be read.
void poison(TestProblem& t, float with) {
  const RandomPattern pattern;
  const Shape& s = t.options.shape;
  for (int64_t b = 0; b < s.batch; ++b) {
    for (int64_t hk = 0; hk < s.key_heads; ++hk) {
      for (int64_t d = 0; d < s.size; ++d) t.key.set(t.key.at(b, hk, 5, d), with);
      for (int64_t d = 0; d < s.value_size; ++d) t.value.set(t.value.at(b, hk, 5, d), with);
    }
    for (int64_t h = 0; h < s.heads; ++h) {
      for (int64_t d = 0; d < s.size; ++d) t.query.set(t.query.at(b, h, 3, d), with);
    }
  }
}

// RandomPattern without key 5; query 3 sees nothing.
class WithoutKeyFive final : public Pattern {
 public:
  Cover cover(int64_t, int64_t, Range, Range) const override { return Cover::kPartial; }
  void allowed(int64_t batch, int64_t head, Range queries, Range keys,
               uint64_t* columns) const override {
    RandomPattern().allowed(batch, head, queries, keys, columns);
    if (keys.begin <= 5 && 5 < keys.end) columns[5 - keys.begin] = 0;
  }
  bool varies_by_batch() const override { return true; }
  bool varies_by_head() const override { return true; }
};

TEST(TileEdges, NothingMaskedReachesAResult) {
  for (const char* score : {"dot", "cosine", "additive"}) {
    for (const DataType type : kTypes) {
      for (const Isa isa : testing::available_isas()) {
        SCOPED_TRACE(text_of(score, " ", name_of(isa), " type ", static_cast<int>(type)));
        const IsaForTest forced(isa);
        TestOptions o;
        o.score = score;
        o.type = type;
        o.shape = grouped_shape(70, 140, 16, 16);
        o.pattern = std::make_shared<WithoutKeyFive>();
        TestProblem clean(o);
        poison(clean, 0);
        const EngineRun want = run_engine(kTiles, clean, OneWorker());
        for (const float bad : {kNaN, kInfinity, -kInfinity}) {
          TestProblem t(o);
          poison(t, bad);
          const EngineRun got = run_engine(kTiles, t, OneWorker());
          for (size_t part = 0; part < want.parts.size(); ++part) {
            for (size_t i = 0; i < want.parts[part].second.size(); ++i) {
              const float x = want.parts[part].second[i];
              if (got.parts[part].second[i] == x) continue;
              ASSERT_NEAR(got.parts[part].second[i], x, 1e-2 * std::max(1.0F, std::abs(x)))
                  << want.parts[part].first << " " << i;
            }
          }
        }
      }
    }
  }
}

TEST(TileEdges, ANaNReachesItsRowsOnly) {
  for (const DataType type : kTypes) {
    for (const Isa isa : testing::available_isas()) {
      SCOPED_TRACE(name_of(isa));
      const IsaForTest forced(isa);
      TestOptions o;
      o.type = type;
      o.shape = {.batch = 1,
                 .heads = 1,
                 .key_heads = 1,
                 .queries = 100,
                 .keys = 100,
                 .size = 16,
                 .value_size = 16};
      o.pattern = window_pattern({.right = 0});
      TestProblem t(o);
      t.value.set(t.value.at(0, 0, 50, 2), kNaN);
      t.grad_output.set(t.grad_output.at(0, 0, 30, 1), kNaN);
      const EngineRun run = run_engine(kTiles, t, OneWorker());
      const auto at = [&](int part, int64_t row, int64_t d) {
        return run.parts[static_cast<size_t>(part)].second[static_cast<size_t>(row * 16 + d)];
      };
      for (int64_t i = 0; i < 100; ++i) {
        EXPECT_EQ(std::isnan(at(0, i, 2)), i >= 50) << "output " << i;
        EXPECT_FALSE(std::isnan(at(0, i, 3))) << "output " << i;
        EXPECT_EQ(std::isnan(at(2, i, 0)), i >= 50 || i == 30) << "grad_query " << i;
      }
      for (int64_t j = 0; j < 100; ++j) {
        EXPECT_EQ(std::isnan(at(4, j, 1)), j <= 30) << "grad_value " << j;
        EXPECT_FALSE(std::isnan(at(4, j, 4))) << "grad_value " << j;
      }
    }
  }
}

TEST(TileEdges, EmptyRowsAndLengths) {
  for (const Isa isa : testing::available_isas()) {
    const IsaForTest forced(isa);
    TestOptions o;
    o.shape = grouped_shape(20, 30, 8, 8);
    o.pattern = std::make_shared<RandomPattern>();
    const EngineRun run = run_engine(kTiles, TestProblem(o), OneWorker());
    for (int64_t d = 0; d < 8; ++d) {
      EXPECT_EQ(run.parts[0].second[static_cast<size_t>(3 * 8 + d)], 0);
      EXPECT_EQ(run.parts[2].second[static_cast<size_t>(3 * 8 + d)], 0);
    }
    EXPECT_EQ(run.parts[1].second[3], -kInfinity);

    o.pattern = nullptr;
    o.shape = grouped_shape(20, 0, 8, 8);
    const EngineRun no_keys = run_engine(kTiles, TestProblem(o), OneWorker());
    for (const float x : no_keys.parts[0].second) EXPECT_EQ(x, 0);
    for (const float x : no_keys.parts[1].second) EXPECT_EQ(x, -kInfinity);
    for (const float x : no_keys.parts[2].second) EXPECT_EQ(x, 0);
    o.shape = grouped_shape(0, 20, 8, 8);
    const EngineRun no_queries = run_engine(kTiles, TestProblem(o), OneWorker());
    for (const float x : no_queries.parts[3].second) EXPECT_EQ(x, 0);
    for (const float x : no_queries.parts[4].second) EXPECT_EQ(x, 0);
  }
}

TEST(TileEdges, ExpandedInputs) {
  TestOptions o;
  o.shape = {.batch = 3,
             .heads = 4,
             .key_heads = 4,
             .queries = 40,
             .keys = 40,
             .size = 16,
             .value_size = 16};
  TestProblem t(o);
  t.problem.key.batch = 0;
  t.problem.value.head = 0;
  t.problem.query.row = 0;
  const EngineRun run = run_engine(kTiles, t, OneWorker());
  const auto truth =
      reference::Attention<double>(t.problem).run(TestProblem::contiguous(t.grad_output));
  for (size_t i = 0; i < truth.output.size(); ++i) {
    EXPECT_NEAR(run.parts[0].second[i], truth.output[i], 1e-5);
  }
}

TEST(TileEdges, UnknownScoreIsAUsageError) {
  TestOptions o;
  o.shape = grouped_shape(4, 4, 8, 8);
  TestProblem t(o);
  t.problem.score.name = "nearest";
  EXPECT_THROW(run_engine(kTiles, t, OneWorker()), UsageError);
}

// A pattern that fails in the middle must neither hang other workers nor be swallowed.
class FailingPattern final : public Pattern {
 public:
  Cover cover(int64_t, int64_t, Range, Range) const override { return Cover::kPartial; }
  void allowed(int64_t, int64_t, Range queries, Range keys, uint64_t* columns) const override {
    if (fails_ && keys.begin == 128 && queries.begin == 128) throw UsageError("on purpose");
    for (int64_t j = 0; j < keys.size(); ++j) {
      columns[j] = ~uint64_t{0} >> (64 - queries.size());
    }
  }
  void fail() { fails_ = true; }

 private:
  bool fails_ = false;
};

TEST(TileEdges, AFailureReachesTheCaller) {
  TestOptions o;
  o.shape = {.batch = 1,
             .heads = 1,
             .key_heads = 1,
             .queries = 600,
             .keys = 600,
             .size = 16,
             .value_size = 16};
  auto pattern = std::make_shared<FailingPattern>();
  o.pattern = pattern;
  const TestProblem t(o);
  // One thread at a time may throw in these workers, so the failing task runs on the caller's.
  EXPECT_NO_THROW(run_engine(kTiles, t, testing::ThreadWorkers(3)));
  pattern->fail();
  EXPECT_THROW(run_engine(kTiles, t, OneWorker()), UsageError);
  EXPECT_THROW(run_engine(kTiles, t, testing::SerialWorkers(3)), UsageError);
}

}  // namespace
}  // namespace heed::kernels
