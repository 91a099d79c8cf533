// The tile engine with the products of whole bfloat16 tiles made elsewhere: here by plain loops.
#include "heed/kernels/matrix/brgemm.h"

#include <gtest/gtest.h>

#include <atomic>

#include "heed/kernels/attention/patterns/window.h"
#include "heed/kernels/attention/testing/engine_test.h"
#include "heed/kernels/attention/testing/tile_test.h"

// ctest-timeout: 600

namespace heed::kernels {
namespace {

using testing::check_engine;
using testing::TestOptions;

std::atomic<int> products{0};
std::atomic<int> releases{0};

void plain_product(const BrgemmProduct& p) {
  ++products;
  const auto* b = static_cast<const uint16_t*>(p.b);
  for (int64_t i = 0; i < p.rows; ++i) {
    for (int64_t j = 0; j < p.columns; ++j) {
      float sum = 0;
      for (int64_t k = 0; k < p.depth; ++k) {
        sum += testing::float_of(p.a[i * p.a_stride + k]) *
               testing::float_of(b[2 * (k / 2 * p.b_stride + j) + k % 2]);
      }
      float& c = p.c[i * p.c_stride + j];
      c = p.adds ? c + sum : sum;
    }
  }
}

constexpr Brgemm kPlain = {.multiply = plain_product, .release = [] { ++releases; }};

class BrgemmTiles : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!is_available(Isa::kAmx)) GTEST_SKIP() << "the CPU does not multiply bfloat16";
    set_brgemm(&kPlain);
    products = 0;
    releases = 0;
  }
  void TearDown() override { set_brgemm(nullptr); }

  static void check(const TestOptions& o) { check_engine(testing::kTiles, o, {Isa::kAmx}); }

  // Whole tiles and what is left beside them, in both directions.
  static TestOptions options() {
    TestOptions o;
    o.shape = testing::grouped_shape(200, 300, 64, 32);
    o.type = DataType::kBFloat16;
    return o;
  }
};

TEST_F(BrgemmTiles, Full) {
  check(options());
  EXPECT_GT(products, 0);
  EXPECT_GT(releases, 0);
}

TEST_F(BrgemmTiles, Layouts) {
  TestOptions o = options();
  o.rows_first = true;
  o.row_padding = 6;
  check(o);
}

TEST_F(BrgemmTiles, Masks) {
  TestOptions o = options();
  o.pattern = window_pattern({.right = 0, .query_offset = 100});
  check(o);
  o.pattern = std::make_shared<testing::RandomPattern>();
  check(o);
}

TEST_F(BrgemmTiles, ScoresModifiersAndDropout) {
  TestOptions o = options();
  o.score = "cosine";
  o.softcap = 5;
  o.alibi = true;
  o.relative_reach = 20;
  o.dense = true;
  o.dropout = 0.2F;
  check(o);
}

// Other types and sizes that it does not take run as without it.
TEST_F(BrgemmTiles, WhatItDoesNotTake) {
  TestOptions o = options();
  o.shape.size = 40;
  check(o);
  o = options();
  o.type = DataType::kFloat32;
  check(o);
  EXPECT_EQ(products, 0);
}

}  // namespace
}  // namespace heed::kernels
