#include "heed/models/parts/text_batch.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"

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

TEST(TextBatch, IsReadOnePlaceLater) {
  const TextBatch text{.ids = at::tensor({5, 6, 7, 8, 9, 1}, at::kLong).view({2, 3}),
                       .lengths = at::tensor({3, 2}, at::kLong)};
  const TextBatch shifted = shifted_right(text, 4);
  EXPECT_TRUE(shifted.ids.equal(at::tensor({4, 5, 6, 4, 8, 9}, at::kLong).view({2, 3})));
  EXPECT_TRUE(shifted.lengths.equal(text.lengths));
  const TextBatch one = shifted_right({.ids = at::tensor({5}, at::kLong).view({1, 1})}, 4);
  EXPECT_TRUE(one.ids.equal(at::tensor({4}, at::kLong).view({1, 1})));
}

TEST(TextBatch, EndsWithTheLastTokenOfAnId) {
  const TextBatch text{.ids = at::tensor({2, 5, 2, 6, 2, 2}, at::kLong).view({2, 3}),
                       .lengths = at::tensor({3, 2}, at::kLong)};
  EXPECT_TRUE(lengths_to_last(text, 2).equal(at::tensor({3, 2}, at::kLong)));
  EXPECT_TRUE(lengths_to_last({.ids = text.ids}, 2).equal(at::tensor({3, 3}, at::kLong)));
  EXPECT_TRUE(
      lengths_to_last({.ids = text.ids.slice(0, 0, 1)}, 5).equal(at::tensor({2}, at::kLong)));
  EXPECT_THROW(lengths_to_last(text, 5), UsageError);
  EXPECT_THROW(lengths_to_last({.ids = text.ids, .lengths = at::tensor({0, 2}, at::kLong)}, 2),
               UsageError);
}

}  // namespace
}  // namespace heed::models
