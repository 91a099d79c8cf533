#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <vector>

#include "heed/base/error.h"
#include "heed/kernels/engine_test.h"
#include "heed/kernels/patterns/lengths.h"
#include "heed/kernels/patterns/table.h"
#include "heed/kernels/patterns/window.h"

// ctest-timeout: 900

namespace heed::kernels {
namespace {

using testing::check_engine;
using testing::EngineFunctions;
using testing::EngineRun;
using testing::run_engine;
using testing::TestOptions;
using testing::TestProblem;

constexpr EngineFunctions kTiles = {tile_forward, tile_backward};
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr DataType kTypes[] = {DataType::kFloat32, DataType::kBFloat16};

Shape grouped_shape(int64_t queries, int64_t keys, int64_t size, int64_t value_size) {
  return {.batch = 2,
          .heads = 4,
          .key_heads = 2,
          .queries = queries,
          .keys = keys,
          .size = size,
          .value_size = value_size};
}

// Allowed where a hash of all four indices says so; some rows see nothing.
class RandomPattern final : public Pattern {
 public:
  explicit RandomPattern(uint32_t dense = 5) : dense_(dense) {}
  Cover cover(int64_t, int64_t, Range, Range) const override { return Cover::kPartial; }
  void allowed(int64_t batch, int64_t head, Range queries, Range keys,
               uint64_t* columns) const override {
    for (int64_t j = keys.begin; j < keys.end; ++j) {
      uint64_t bits = 0;
      for (int64_t i = queries.begin; i < queries.end; ++i) {
        if (is_allowed(batch, head, i, j)) bits |= uint64_t{1} << (i - queries.begin);
      }
      columns[j - keys.begin] = bits;
    }
  }
  bool varies_by_batch() const override { return true; }
  bool varies_by_head() const override { return true; }

  bool is_allowed(int64_t batch, int64_t head, int64_t i, int64_t j) const {
    if (i % 11 == 3) return false;
    auto x = static_cast<uint32_t>(((batch * 7 + head) * 1009 + i) * 10007 + j);
    x *= 0x9e3779b1u;
    x ^= x >> 15;
    x *= 0x85ebca77u;
    return (x >> 16) % 8 < dense_;
  }

 private:
  uint32_t dense_;
};

TEST(Tiles, OddSizes) {
  for (const DataType type : kTypes) {
    for (const int64_t queries : {1, 7, 17, 33, 65, 130}) {
      for (const int64_t keys : {1, 7, 17, 33, 65, 130}) {
        SCOPED_TRACE(
            text_of("queries ", queries, " keys ", keys, " type ", static_cast<int>(type)));
        TestOptions o;
        o.shape = grouped_shape(queries, keys, 1 + queries % 40, 1 + keys % 50);
        o.type = type;
        o.grad_lse = true;
        check_engine(kTiles, o);
      }
    }
  }
}

TEST(Tiles, SizesOfHeads) {
  for (const DataType type : kTypes) {
    for (const int64_t size : {8, 16, 32, 64, 80, 128, 192}) {
      SCOPED_TRACE(size);
      TestOptions o;
      o.shape = {.batch = 1,
                 .heads = 2,
                 .key_heads = 1,
                 .queries = 150,
                 .keys = 290,
                 .size = size,
                 .value_size = size};
      o.type = type;
      o.rows_first = size % 64 == 0;
      o.row_padding = size % 3;
      check_engine(kTiles, o);
    }
  }
}

TEST(Tiles, Masks) {
  for (const DataType type : kTypes) {
    for (const int64_t n : {1, 17, 65, 130, 300}) {
      SCOPED_TRACE(n);
      TestOptions o;
      o.shape = grouped_shape(n, n + 3, 32, 24);
      o.type = type;
      o.grad_lse = true;
      o.pattern = std::make_shared<RandomPattern>();
      check_engine(kTiles, o);
      o.pattern = std::make_shared<RandomPattern>(1);
      check_engine(kTiles, o);
      o.pattern = window_pattern({.right = 0, .query_offset = 3});
      check_engine(kTiles, o);
      o.pattern = window_pattern({.left = 20, .right = 9, .query_offset = 3});
      check_engine(kTiles, o);
      o.pattern = padded_pattern({.keys = {n / 2, n + 3}, .queries = {n, n / 3}});
      check_engine(kTiles, o);
    }
  }
}

void check_modifiers(TestOptions o) {
  {
    SCOPED_TRACE("softcap");
    TestOptions one = o;
    one.softcap = 1.5;
    check_engine(kTiles, one);
  }
  {
    SCOPED_TRACE("alibi");
    TestOptions one = o;
    one.alibi = true;
    check_engine(kTiles, one);
  }
  for (const int64_t reach : {0, 5, 40, 400}) {
    SCOPED_TRACE(text_of("relative ", reach));
    TestOptions one = o;
    one.relative_reach = reach;
    one.relative_shared = reach == 5;
    check_engine(kTiles, one);
  }
  for (int which = 0; which < 8; ++which) {
    SCOPED_TRACE(text_of("dense ", which));
    TestOptions one = o;
    one.dense = true;
    one.dense_batch = (which & 1) != 0;
    one.dense_head = (which & 2) != 0;
    one.dense_row = (which & 4) != 0;
    one.dense_type = which % 3 == 0 ? o.type : DataType::kFloat32;
    check_engine(kTiles, one);
  }
  {
    SCOPED_TRACE("all together, with dropout");
    TestOptions one = o;
    one.softcap = 3;
    one.alibi = true;
    one.relative_reach = 30;
    one.dense = true;
    one.dense_head = false;
    one.dropout = 0.2F;
    check_engine(kTiles, one);
  }
}

TEST(Tiles, Modifiers) {
  for (const DataType type : kTypes) {
    TestOptions o;
    o.type = type;
    o.shape = grouped_shape(70, 150, 16, 20);
    check_modifiers(o);
    o.shape = grouped_shape(33, 17, 18, 8);
    check_modifiers(o);
  }
}

TEST(Tiles, ModifiersUnderMasks) {
  for (const DataType type : kTypes) {
    TestOptions o;
    o.type = type;
    o.shape = grouped_shape(90, 140, 16, 16);
    o.pattern = std::make_shared<RandomPattern>();
    check_modifiers(o);
    o.pattern = window_pattern({.left = 33, .right = 0, .query_offset = 50});
    check_modifiers(o);
  }
}

TEST(Tiles, Cosine) {
  for (const DataType type : kTypes) {
    for (const int64_t n : {1, 17, 65, 150}) {
      SCOPED_TRACE(n);
      TestOptions o;
      o.score = "cosine";
      o.type = type;
      o.shape = grouped_shape(n, n + 20, 24, 16);
      check_engine(kTiles, o);
      o.pattern = std::make_shared<RandomPattern>();
      o.softcap = 4;
      check_engine(kTiles, o);
    }
  }
}

TEST(Tiles, CosineOfZeroRows) {
  TestOptions o;
  o.score = "cosine";
  o.shape = grouped_shape(20, 30, 16, 16);
  TestProblem t(o);
  for (int64_t d = 0; d < 16; ++d) {
    t.query.set(t.query.at(0, 1, 4, d), 0);
    t.key.set(t.key.at(1, 0, 7, d), 0);
  }
  const EngineRun run = run_engine(kTiles, t, OneWorker());
  const auto truth =
      reference::Attention<double>(t.problem).run(TestProblem::contiguous(t.grad_output));
  for (size_t i = 0; i < truth.output.size(); ++i) {
    EXPECT_NEAR(run.parts[0].second[i], truth.output[i], 1e-5);
  }
  for (size_t i = 0; i < truth.grad_query.size(); ++i) {
    EXPECT_NEAR(run.parts[2].second[i], truth.grad_query[i],
                1e-5 * std::max(1.0, std::abs(truth.grad_query[i])));
  }
}

TEST(Tiles, Additive) {
  for (const DataType type : kTypes) {
    for (const int64_t n : {1, 17, 65, 150}) {
      SCOPED_TRACE(n);
      TestOptions o;
      o.score = "additive";
      o.type = type;
      o.shape = grouped_shape(n, n + 20, 24, 16);
      check_engine(kTiles, o);
      o.shape = grouped_shape(n + 3, n, 17, 5);
      o.pattern = std::make_shared<RandomPattern>();
      o.alibi = true;
      o.softcap = 2;
      check_engine(kTiles, o);
    }
  }
}

TEST(Tiles, Dropout) {
  for (const DataType type : kTypes) {
    for (const int64_t n : {1, 17, 65, 150}) {
      SCOPED_TRACE(n);
      TestOptions o;
      o.type = type;
      o.shape = grouped_shape(n, n + 20, 24, 16);
      o.dropout = 0.3F;
      o.grad_lse = true;
      check_engine(kTiles, o);
      o.pattern = std::make_shared<RandomPattern>();
      check_engine(kTiles, o);
    }
  }
}

TEST(Tiles, LargeLogits) {
  for (const DataType type : kTypes) {
    TestOptions o;
    o.type = type;
    o.shape = grouped_shape(65, 130, 32, 16);
    o.input_scale = 45;  // logits of about ±1e4
    check_engine(kTiles, o);
    o.pattern = std::make_shared<RandomPattern>();
    check_engine(kTiles, o);
  }
}

TEST(Tiles, ScaleOfAnySign) {
  for (const float scale : {-0.5F, 1e-30F, 2.0F}) {
    TestOptions o;
    o.shape = grouped_shape(40, 50, 16, 16);
    o.score_scale = scale;
    check_engine(kTiles, o);
  }
}

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

TEST(Tiles, NothingMaskedReachesAResult) {
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

TEST(Tiles, ANaNReachesItsRowsOnly) {
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

TEST(Tiles, EmptyRowsAndLengths) {
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

TEST(Tiles, ExpandedInputs) {
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

TEST(Tiles, UnknownScoreIsAUsageError) {
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

TEST(Tiles, AFailureReachesTheCaller) {
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
