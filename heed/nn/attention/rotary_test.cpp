#include "heed/nn/attention/rotary.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/nn/attention/distance.h"
#include "heed/nn/attention/split_heads.h"
#include "heed/nn/testing/test_tensors.h"

namespace heed::nn {
namespace {

// Pair (i, i + D/2) of each row rotated as complex numbers, in double.
at::Tensor rotated(const at::Tensor& heads, int64_t start, double base) {
  const int64_t size = heads.size(3);
  at::Tensor result = heads.to(at::kDouble).clone();
  for (int64_t n = 0; n < heads.size(2); ++n) {
    for (int64_t i = 0; i < size / 2; ++i) {
      const double angle =
          static_cast<double>(start + n) *
          std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(size));
      const at::Tensor x = heads.select(2, n).select(2, i).to(at::kDouble);
      const at::Tensor y = heads.select(2, n).select(2, i + size / 2).to(at::kDouble);
      result.select(2, n).select(2, i).copy_(x * std::cos(angle) - y * std::sin(angle));
      result.select(2, n).select(2, i + size / 2).copy_(y * std::cos(angle) + x * std::sin(angle));
    }
  }
  return result;
}

TEST(Rotary, TurnsQueriesAndKeysByTheAnglesOfThePaper) {
  at::manual_seed(2);
  const HeadCounts counts{.query = 4, .key = 2, .size = 6};
  const Rotary rotary({.size = 6, .base = 100});
  for (const auto type : {at::kFloat, at::kDouble, at::kBFloat16}) {
    const at::Tensor projected = at::randn({2, 5, 48}).to(type);
    const Heads plain = split_heads(projected.clone(), counts);
    const Heads heads = split_heads(projected.clone(), counts,
                                    rotary.angles({.start = 1000}, 5, projected.device()));
    const double bound = type == at::kBFloat16 ? 0.02 : 1e-6;
    EXPECT_LT(distance(heads.query, rotated(plain.query, 1000, 100)), bound);
    EXPECT_LT(distance(heads.key, rotated(plain.key, 1000, 100)), bound);
    EXPECT_TRUE(at::equal(heads.value, plain.value));
  }
}

TEST(Rotary, ProductsDependOnTheDistanceAlone) {
  at::manual_seed(2);
  const Rotary rotary({.size = 8});
  const at::Tensor projected = at::randn({1, 7, 24});
  const auto products = [&](int64_t start) {
    const Heads heads = split_heads(projected.clone(), {.query = 1, .key = 1, .size = 8},
                                    rotary.angles({.start = start}, 7, projected.device()));
    return heads.query.matmul(heads.key.transpose(2, 3));
  };
  EXPECT_LT(distance(products(0), products(4000)), 2e-5);
}

TEST(Rotary, RowsMayStandAtDifferentPlaces) {
  at::manual_seed(2);
  const Rotary rotary({.size = 8});
  const HeadCounts counts{.query = 1, .key = 1, .size = 8};
  const at::Tensor projected = at::randn({2, 3, 24});
  const Heads together =
      split_heads(projected.clone(), counts,
                  rotary.angles({.starts = at::tensor({5, 90}, at::kLong)}, 3, at::kCPU));
  for (const int64_t b : {0, 1}) {
    const Heads alone = split_heads(projected.slice(0, b, b + 1).clone(), counts,
                                    rotary.angles({.start = b == 0 ? 5 : 90}, 3, at::kCPU));
    EXPECT_TRUE(at::equal(together.query[b], alone.query[0]));
    EXPECT_TRUE(at::equal(together.key[b], alone.key[0]));
  }
}

TEST(Rotary, RefusesAnOddSize) { EXPECT_THROW(Rotary({.size = 7}), UsageError); }

// The gradient of a weighted sum of all three against finite differences, in double.
TEST(SplitHeads, HasTheGradientOfItsFormula) {
  at::manual_seed(2);
  const HeadCounts counts{.query = 2, .key = 1, .size = 4};
  const Rotary rotary({.size = 4});
  const auto doubles = at::TensorOptions(at::kDouble);
  const at::Tensor weights = at::randn({4, 2, 3, 4}, doubles);
  for (const bool with_angles : {false, true}) {
    std::optional<Rotary::Angles> angles;
    if (with_angles) angles = rotary.angles({.start = 9}, 3, at::kCPU);
    const auto sum = [&](const at::Tensor& projected) {
      const Heads heads = split_heads(projected.clone(), counts, angles);
      return (heads.query * weights.slice(0, 0, 2)).pow(2).sum() +
             (heads.key * weights.slice(0, 2, 3).slice(1, 0, 1)).pow(2).sum() +
             (heads.value * weights.slice(0, 3, 4).slice(1, 1, 2)).pow(2).sum();
    };
    at::Tensor projected = at::randn({2, 3, 16}, doubles).requires_grad_();
    sum(projected).backward();
    const at::Tensor flat = projected.detach().clone();
    const double step = 1e-5;
    for (int64_t i = 0; i < flat.numel(); ++i) {
      at::Tensor moved = flat.clone();
      auto* value = moved.mutable_data_ptr<double>() + i;
      *value += step;
      const double more = sum(moved).item<double>();
      *value -= 2 * step;
      const double less = sum(moved).item<double>();
      EXPECT_NEAR(projected.grad().flatten()[i].item<double>(), (more - less) / (2 * step), 1e-7);
    }
  }
}

// A validation may be the first to read a text of this length.
TEST(Rotary, AnglesMadeInInferenceModeMayBeTrainedWith) {
  const Rotary rotary({.size = 4});
  {
    const c10::InferenceMode inference;
    rotary.angles({}, 100, at::kCPU);
  }
  const at::Tensor projected = at::ones({1, 100, 12}).requires_grad_();
  const Heads heads = split_heads(projected * 1, {.query = 1, .key = 1, .size = 4},
                                  rotary.angles({}, 100, at::kCPU));
  heads.query.sum().backward();
  EXPECT_TRUE(projected.grad().isfinite().all().item<bool>());
}

// Only the keys have a gradient; the others' parts are zero, not garbage.
TEST(SplitHeads, TakesMissingGradientsForZero) {
  const at::Tensor projected = at::randn({1, 3, 12}).requires_grad_();
  split_heads(projected * 1, {.query = 1, .key = 1, .size = 4}).key.sum().backward();
  EXPECT_EQ(projected.grad().slice(2, 4, 8).sum().item<double>(), 12);
  EXPECT_EQ(projected.grad().abs().sum().item<double>(), 12);
}

TEST(SplitHeads, GivesViewsWithoutACopy) {
  const at::Tensor projected = at::randn({2, 5, 24});
  const Heads heads = split_heads(projected, {.query = 4, .key = 1, .size = 4});
  EXPECT_EQ(heads.query.const_data_ptr(), projected.const_data_ptr());
  EXPECT_EQ(heads.value.const_data_ptr<float>(), projected.const_data_ptr<float>() + 20);
  EXPECT_THROW(split_heads(projected, {.query = 3, .key = 1, .size = 4}), UsageError);
}

// The tables of the authors of ALiBi for 8 and 12 heads.
TEST(Alibi, SlopesAreThoseOfThePaper) {
  const at::Tensor eight = alibi_slopes(8);
  for (int64_t h = 0; h < 8; ++h) {
    EXPECT_EQ(eight[h].item<float>(), static_cast<float>(std::pow(0.5, h + 1)));
  }
  const at::Tensor twelve = alibi_slopes(12);
  EXPECT_TRUE(at::equal(twelve.slice(0, 0, 8), eight));
  for (int64_t h = 0; h < 4; ++h) {
    EXPECT_FLOAT_EQ(twelve[8 + h].item<float>(),
                    static_cast<float>(std::pow(0.5, static_cast<double>(h) + 0.5)));
  }
  EXPECT_FLOAT_EQ(alibi_slopes(1)[0].item<float>(), 1.0F / 256);
  EXPECT_THROW(alibi_slopes(0), UsageError);
}

}  // namespace
}  // namespace heed::nn
