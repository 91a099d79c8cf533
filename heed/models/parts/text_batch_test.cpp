#include "heed/models/parts/text_batch.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace heed::models {
namespace {

TEST(TextBatch, PadsBehindEachRow) {
  const std::vector<int32_t> two = {5, 6};
  const std::vector<int32_t> none;
  const std::vector<int32_t> three = {7, 8, 9};
  const TextBatch batch = text_batch({&two, &none, &three}, 1);
  EXPECT_TRUE(batch.ids.equal(at::tensor({5, 6, 1, 1, 1, 1, 7, 8, 9}, at::kLong).view({3, 3})));
  EXPECT_TRUE(batch.lengths.equal(at::tensor({2, 0, 3}, at::kLong)));
}

TEST(TextBatch, IsOneIdWideWhereEveryRowIsEmpty) {
  const std::vector<int32_t> none;
  EXPECT_TRUE(padded_ids({&none, &none}, 4).equal(at::full({2, 1}, 4, at::kLong)));
}

TEST(TextBatch, MovesWithoutLengthsToo) {
  const TextBatch moved = TextBatch{.ids = at::ones({1, 2}, at::kLong)}.to(at::kCPU);
  EXPECT_TRUE(moved.ids.equal(at::ones({1, 2}, at::kLong)));
  EXPECT_FALSE(moved.lengths.defined());
}

}  // namespace
}  // namespace heed::models
