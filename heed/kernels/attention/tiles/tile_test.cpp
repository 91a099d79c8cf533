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

}  // namespace
}  // namespace heed::kernels
