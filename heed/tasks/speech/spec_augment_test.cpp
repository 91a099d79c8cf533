#include "heed/tasks/speech/spec_augment.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace heed::tasks {
namespace {

FrameBatch ones() {
  return {.frames = at::ones({3, 60, 20}), .lengths = at::tensor({60, 30, 4}, at::kLong)};
}

SpecAugmentOptions nothing() {
  return {.time_masks = 0, .frequency_masks = 0, .frequency_warp = 0};
}

TEST(SpecAugment, NothingChangesNothing) {
  const FrameBatch batch = ones();
  EXPECT_TRUE(at::equal(augmented(batch, nothing()), batch.frames));
}

TEST(SpecAugment, HidesStretchesOfAFifthAtMost) {
  at::manual_seed(1);
  SpecAugmentOptions options = nothing();
  options.time_masks = 1;
  options.time_mask_length = 100;
  int64_t longest = 0;
  for (int i = 0; i < 200; ++i) {
    const at::Tensor x = augmented(ones(), options);
    const at::Tensor hidden = (x == 0).all(2).sum(1);  // frames of each sound
    EXPECT_TRUE(((x == 0).any(2) == (x == 0).all(2)).all().item<bool>());
    EXPECT_LE(hidden[0].item<int64_t>(), 12);
    EXPECT_LE(hidden[1].item<int64_t>(), 6);
    EXPECT_EQ(hidden[2].item<int64_t>(), 0);
    EXPECT_FALSE((x[1].slice(0, 30) == 0).any().item<bool>());  // within the sound
    longest = std::max(longest, hidden[0].item<int64_t>());
  }
  EXPECT_EQ(longest, 12);
}

TEST(SpecAugment, HidesGroupsOfBands) {
  at::manual_seed(2);
  SpecAugmentOptions options = nothing();
  options.frequency_masks = 1;
  options.frequency_mask_width = 5;
  int64_t widest = 0;
  for (int i = 0; i < 100; ++i) {
    const at::Tensor hidden = (augmented(ones(), options) == 0).all(1).sum(1);
    EXPECT_LE(hidden.max().item<int64_t>(), 5);
    widest = std::max(widest, hidden.max().item<int64_t>());
  }
  EXPECT_EQ(widest, 5);
}

// A band that rises with its number still does, by another step.
TEST(SpecAugment, WarpsTheBands) {
  at::manual_seed(3);
  SpecAugmentOptions options = nothing();
  options.frequency_warp = 0.2;
  FrameBatch batch = ones();
  batch.frames = at::arange(20, at::kFloat).expand({3, 60, 20}).contiguous();
  const at::Tensor x = augmented(batch, options);
  for (int64_t b = 0; b < 3; ++b) {
    const double step = x[b][0][1].item<double>();
    EXPECT_GT(step, 0.79);
    EXPECT_LT(step, 1.21);
    EXPECT_NEAR(x[b][59][10].item<double>(), 10 * step, 1e-4);
    EXPECT_LE(x[b].max().item<double>(), 19);
  }
  EXPECT_FALSE(at::allclose(x[0], x[1]));
}

TEST(SpecAugment, TheSameSeedGivesTheSame) {
  at::manual_seed(4);
  const at::Tensor first = augmented(ones(), {});
  at::manual_seed(4);
  EXPECT_TRUE(at::equal(first, augmented(ones(), {})));
}

}  // namespace
}  // namespace heed::tasks
