#include "heed/tasks/image/boxes.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/tasks/image/image_augmentation.h"

namespace heed::tasks {
namespace {

// Left, top, right, bottom -> centre and size.
at::Tensor box(const std::vector<double>& corners) {
  return centred(at::tensor(corners, at::kDouble));
}

TEST(Boxes, CornersAndBack) {
  const at::Tensor boxes = at::tensor({0.5, 0.25, 0.2, 0.5}, at::kDouble);
  EXPECT_TRUE(at::allclose(corners_of(boxes), at::tensor({0.4, 0.0, 0.6, 0.5}, at::kDouble)));
  EXPECT_TRUE(at::allclose(centred(corners_of(boxes)), boxes));
}

// By hand: of two boxes 2 × 2, one to the right by 1: 2 of 6 covered by both, nothing left over.
TEST(GeneralizedBoxIou, IsTheOverlapLessWhatIsLeftOver) {
  const at::Tensor a = box({0, 0, 2, 2});
  EXPECT_NEAR(generalized_box_iou(a, a).item<double>(), 1, 1e-12);
  EXPECT_NEAR(generalized_box_iou(a, box({1, 0, 3, 2})).item<double>(), 2 / 6.0, 1e-12);
  // Askew by 1: 1 of 7, in a box of 9 of which 2 are left over.
  EXPECT_NEAR(generalized_box_iou(a, box({1, 1, 3, 3})).item<double>(), 1 / 7.0 - 2 / 9.0, 1e-12);
  // They do not meet: 8 covered of 2 × 6.
  EXPECT_NEAR(generalized_box_iou(a, box({4, 0, 6, 2})).item<double>(), -4 / 12.0, 1e-12);
}

TEST(GeneralizedBoxIou, ShapesAreBroadcast) {
  const at::Tensor a = at::rand({3, 1, 4}, at::kDouble);
  const at::Tensor b = at::rand({5, 4}, at::kDouble);
  const at::Tensor all = generalized_box_iou(a, b);
  ASSERT_EQ(all.sizes(), at::IntArrayRef({3, 5}));
  EXPECT_NEAR(all[2][4].item<double>(), generalized_box_iou(a[2][0], b[4]).item<double>(), 1e-12);
}

TEST(GeneralizedBoxIou, NothingIsDividedByZero) {
  const at::Tensor none = at::zeros({4});
  EXPECT_TRUE(generalized_box_iou(none, none).isfinite().all().item<bool>());
}

TEST(GeneralizedBoxIou, GradientsAreThoseOfFiniteDifferences) {
  at::manual_seed(3);
  const at::Tensor real = at::tensor({0.5, 0.5, 0.3, 0.2}, at::kDouble);
  // Inside, askew, far away.
  for (const std::vector<double>& values : std::vector<std::vector<double>>{
           {0.51, 0.52, 0.11, 0.1}, {0.41, 0.57, 0.33, 0.27}, {0.12, 0.13, 0.1, 0.15}}) {
    const at::Tensor found = at::tensor(values, at::kDouble).requires_grad_();
    generalized_box_iou(found, real).backward();
    for (int64_t i = 0; i < 4; ++i) {
      constexpr double kStep = 1e-6;
      const at::Tensor more = found.detach().clone();
      const at::Tensor less = found.detach().clone();
      more[i] += kStep;
      less[i] -= kStep;
      const double slope =
          (generalized_box_iou(more, real) - generalized_box_iou(less, real)).item<double>() /
          (2 * kStep);
      EXPECT_NEAR(found.grad()[i].item<double>(), slope, 1e-6) << i;
    }
  }
}

// Of a picture of 80 × 40 pixels with a bright rectangle: the box goes where the rectangle goes.
TEST(MovedBoxes, GoWithWhatTheyAreAround) {
  at::manual_seed(4);
  at::Tensor images = at::zeros({1, 1, 40, 80});
  images.narrow(2, 10, 12).narrow(3, 30, 20).fill_(1);
  images = images.expand({50, 1, 40, 80}).contiguous();
  const at::Tensor boxes = at::tensor({40 / 80.0, 16 / 40.0, 20 / 80.0, 12 / 40.0}, at::kFloat);
  const at::Tensor moves = drawn_moves(
      images.sizes(), {.max_shift = 4, .max_rotation = 0, .max_scale = 0.2, .flip = true});
  const at::Tensor bright = moved_pictures(images, moves).squeeze(1) > 0.5;
  for (int64_t i = 0; i < 50; ++i) {
    const MovedBoxes found = moved_boxes(boxes.unsqueeze(0), moves[i]);
    EXPECT_TRUE(found.remain.item<bool>());
    const at::Tensor corners =
        corners_of(found.boxes[0]) * at::tensor({80.0F, 40.0F, 80.0F, 40.0F});
    const at::Tensor columns = bright[i].any(0).nonzero();
    const at::Tensor rows = bright[i].any(1).nonzero();
    EXPECT_NEAR(corners[0].item<double>(), columns.min().item<double>(), 0.75);
    EXPECT_NEAR(corners[1].item<double>(), rows.min().item<double>(), 0.75);
    EXPECT_NEAR(corners[2].item<double>(), columns.max().item<double>() + 1, 0.75);
    EXPECT_NEAR(corners[3].item<double>(), rows.max().item<double>() + 1, 0.75);
  }
}

TEST(MovedBoxes, WhatLeavesThePictureIsCutOff) {
  // Everything goes to the left by a quarter of the picture: what is at x was at x + 0.5.
  const at::Tensor move = at::tensor({1.0F, 0.0F, 0.5F, 0.0F, 1.0F, 0.0F}).reshape({2, 3});
  const at::Tensor boxes = at::tensor({0.5F, 0.5F, 0.2F, 0.2F,   // stays whole
                                       0.3F, 0.5F, 0.2F, 0.2F,   // three quarters of it stay
                                       0.2F, 0.5F, 0.2F, 0.2F})  // a quarter of it stays
                               .reshape({3, 4});
  const MovedBoxes found = moved_boxes(boxes, move);
  EXPECT_TRUE(at::equal(found.remain, at::tensor({1, 1, 0}).to(at::kBool)));
  EXPECT_TRUE(at::allclose(found.boxes[0], at::tensor({0.25F, 0.5F, 0.2F, 0.2F})));
  EXPECT_TRUE(at::allclose(found.boxes[1], at::tensor({0.075F, 0.5F, 0.15F, 0.2F})));
}

}  // namespace
}  // namespace heed::tasks
