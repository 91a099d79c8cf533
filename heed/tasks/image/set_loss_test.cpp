#include "heed/tasks/image/set_loss.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace heed::tasks {
namespace {

using Pairs = std::vector<std::pair<int64_t, int64_t>>;

constexpr SetLossOptions kPlainLoss = {
    .eos_coefficient = 0.5, .bbox_loss_coefficient = 5, .giou_loss_coefficient = 2};

// Three queries, two classes; the second query says class 1 and the third class 0, surely.
models::FoundBoxes three_queries() {
  return {.logits = at::tensor({0.0, 0.0, 9.0,  //
                                0.0, 9.0, 0.0,  //
                                9.0, 0.0, 0.0},
                               at::kFloat)
                        .reshape({1, 3, 3}),
          .boxes = at::tensor({0.5, 0.5, 0.2, 0.2,  //
                               0.3, 0.3, 0.2, 0.2,  //
                               0.7, 0.7, 0.2, 0.2},
                              at::kFloat)
                       .reshape({1, 3, 4})};
}

RealBoxes objects(const std::vector<int64_t>& classes, const std::vector<double>& boxes) {
  return {.classes = at::tensor(classes, at::kLong),
          .boxes = at::tensor(boxes, at::kFloat).reshape({-1, 4})};
}

TEST(SetLoss, PairsWhatSuitsEachOther) {
  const RealBoxes real = objects({0, 1}, {0.7, 0.7, 0.2, 0.2, 0.3, 0.3, 0.2, 0.2});
  EXPECT_EQ(matched_pairs(three_queries(), 0, real, kPlainLoss), (Pairs{{0, 2}, {1, 1}}));
  // The order of the objects does not matter.
  const RealBoxes other = objects({1, 0}, {0.3, 0.3, 0.2, 0.2, 0.7, 0.7, 0.2, 0.2});
  EXPECT_EQ(matched_pairs(three_queries(), 0, other, kPlainLoss), (Pairs{{0, 1}, {1, 2}}));
  EXPECT_NEAR(set_loss(three_queries(), {real}, kPlainLoss).item<double>(),
              set_loss(three_queries(), {other}, kPlainLoss).item<double>(), 1e-6);
}

TEST(SetLoss, MoreObjectsThanQueriesLeaveSomeAlone) {
  const RealBoxes real = objects({0, 1, 0, 1}, {0.7, 0.7, 0.2, 0.2, 0.3, 0.3, 0.2, 0.2,  //
                                                0.1, 0.9, 0.1, 0.1, 0.5, 0.5, 0.2, 0.2});
  const Pairs pairs = matched_pairs(three_queries(), 0, real, kPlainLoss);
  ASSERT_EQ(pairs.size(), 3u);  // a query each, none twice
  Pairs sorted = pairs;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, (Pairs{{0, 2}, {1, 1}, {3, 0}}));
}

// By hand: one object, found by the third query, its box too far right by 0.1 of the picture.
TEST(SetLoss, IsClassDistanceAndOverlap) {
  const RealBoxes real = objects({0}, {0.6, 0.7, 0.2, 0.2});
  const double sure = -std::log(std::exp(9) / (std::exp(9) + 2));  // of each query that is right
  const double unsure = -std::log(1 / (std::exp(9) + 2));          // of the second: no object
  const double classes = (0.5 * sure + 0.5 * unsure + sure) / 2;
  // They cover 0.1 × 0.2 of 0.3 × 0.2 together, and nothing is left over around them.
  const double boxes = 5 * 0.1 + 2 * (1 - 0.1 / 0.3);
  EXPECT_NEAR(set_loss(three_queries(), {real}, kPlainLoss).item<double>(), classes + boxes, 1e-5);
}

TEST(SetLoss, PicturesWithoutObjectsHaveNoBoxes) {
  const double sure = -std::log(std::exp(9) / (std::exp(9) + 2));
  const double unsure = -std::log(1 / (std::exp(9) + 2));
  EXPECT_NEAR(set_loss(three_queries(), {objects({}, {})}, kPlainLoss).item<double>(),
              (sure + 2 * unsure) / 3, 1e-5);
}

TEST(SetLoss, GradientsAreThoseOfFiniteDifferences) {
  at::manual_seed(1);
  const std::vector<RealBoxes> real = {objects({0, 1}, {0.62, 0.7, 0.3, 0.2, 0.3, 0.35, 0.2, 0.1}),
                                       objects({1}, {0.5, 0.4, 0.2, 0.3})};
  models::FoundBoxes found{.logits = at::randn({2, 3, 3}, at::kDouble),
                           .boxes = 0.2 + 0.6 * at::rand({2, 3, 4}, at::kDouble)};
  found.logits.requires_grad_();
  found.boxes.requires_grad_();
  set_loss(found, real, kPlainLoss).backward();
  const auto expect_slopes = [&](const at::Tensor& values, const at::Tensor& gradient) {
    const at::NoGradGuard no_grad;
    const at::Tensor flat = values.view(-1);
    for (int64_t i = 0; i < flat.numel(); ++i) {
      constexpr double kStep = 1e-6;
      const double value = flat[i].item<double>();
      flat[i] = value + kStep;
      const double more = set_loss(found, real, kPlainLoss).item<double>();
      flat[i] = value - kStep;
      const double less = set_loss(found, real, kPlainLoss).item<double>();
      flat[i] = value;
      EXPECT_NEAR(gradient.view(-1)[i].item<double>(), (more - less) / (2 * kStep), 1e-5) << i;
    }
  };
  expect_slopes(found.logits, found.logits.grad());
  expect_slopes(found.boxes, found.boxes.grad());
}

}  // namespace
}  // namespace heed::tasks
