// heed/ops/dropout.h: dropout of the elements of a tensor (dropout_test.cpp is that of attention
// weights).
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/kernels/elementwise/element_dropout.h"
#include "heed/ops/dropout.h"
#include "heed/ops/testing/rule_of_two.h"

namespace heed {
namespace {

at::Tensor mask(int64_t count, double probability, uint64_t seed) {
  return dropout(at::ones({count}), {.probability = probability, .seed = seed});
}

TEST(ElementDropout, FollowsTheOneDefinitionOnEveryInstructionSet) {
  for_each_available_isa([] {
    const at::Tensor got = mask(5003, 0.3, 7);
    for (int64_t i = 0; i < got.numel(); ++i) {
      const bool kept = kernels::element_is_kept({0.3F, 7}, i);
      ASSERT_EQ(got[i].item<float>(), kept ? static_cast<float>(1 / (1 - 0.3F)) : 0.0F) << i;
    }
  });
}

// Five standard deviations of a binomial.
TEST(ElementDropout, DropsAsManyAsAskedFor) {
  constexpr int64_t kCount = 1 << 20;
  for (const double p : {0.1, 0.5, 0.9}) {
    for (const uint64_t seed : {0, 1, 99}) {
      const double dropped = (mask(kCount, p, seed) == 0).sum().item<double>();
      EXPECT_NEAR(dropped, p * kCount, 5 * std::sqrt(p * (1 - p) * kCount)) << p << ", " << seed;
    }
  }
}

// Neighbours at many distances, and masks of two seeds, agree as often as independent ones do.
TEST(ElementDropout, ElementsAreIndependent) {
  constexpr int64_t kCount = 1 << 20;
  const at::Tensor a = mask(kCount, 0.5, 3) != 0, b = mask(kCount, 0.5, 4) != 0;
  const auto expect_half = [](const at::Tensor& x, const at::Tensor& y, int64_t what) {
    const auto n = static_cast<double>(x.numel());
    EXPECT_NEAR((x == y).sum().item<double>(), n / 2, 5 * std::sqrt(n) / 2) << what;
  };
  expect_half(a, b, 0);
  for (const int64_t distance : {1, 2, 16, 384, 1024, 1025, 2048, 65536}) {
    expect_half(a.slice(0, distance), a.slice(0, 0, kCount - distance), distance);
  }
}

TEST(ElementDropout, GradientHasTheSameMask) {
  const at::Tensor x = at::randn({70, 33}).requires_grad_();
  const at::Tensor stream = at::randn({70, 33}).requires_grad_();
  const at::Tensor y = add_dropout(x, stream, {.probability = 0.4, .seed = 11});
  const at::Tensor factors = dropout(at::ones({70, 33}), {.probability = 0.4, .seed = 11});
  EXPECT_TRUE(at::allclose(y, stream + x * factors));
  const at::Tensor grad = at::randn({70, 33});
  y.backward(grad);
  EXPECT_TRUE(at::equal(x.grad(), grad * factors));
  EXPECT_TRUE(at::equal(stream.grad(), grad));
}

TEST(ElementDropout, CanBeDifferentiatedTwice) {
  const at::Tensor factors = mask(40, 0.4, 5);
  expect_second_derivatives(
      [](const Tensors& in) {
        return Tensors{dropout(in[0].sin(), {0.4, 5})};
      },
      [&](const Tensors& in) { return Tensors{in[0].sin() * factors.to(in[0].scalar_type())}; },
      {at::randn({40})});
}

TEST(ElementDropout, DoesNotDependOnTheThreads) {
  expect_no_trace_of_threads(
      [](const Tensors& in) {
        return Tensors{dropout(in[0], {0.2, 5})};
      },
      {at::randn({300, 700})}, {at::randn({300, 700})});
}

// Rows that begin and end inside a run, and columns of several runs.
TEST(ElementDropout, ColumnsOfAWiderTensorDropWhatItDrops) {
  for (const int64_t width : {12, 1500, 5000}) {
    const at::Tensor whole = at::randn({3, 40, width});
    const at::Tensor expected = dropout(whole, {.probability = 0.4, .seed = 11});
    const int64_t part = width / 4;
    for (const int64_t first : {int64_t{0}, part, 3 * part}) {
      const DropoutOptions options{
          .probability = 0.4, .seed = 11, .columns = {.first = first, .whole = width}};
      const at::Tensor x = whole.narrow(-1, first, part).requires_grad_();
      const at::Tensor y = dropout(x, options);
      EXPECT_TRUE(at::equal(y, expected.narrow(-1, first, part))) << width << ", " << first;
      const at::Tensor factors =
          dropout(at::ones({3, 40, width}), {.probability = 0.4, .seed = 11});
      EXPECT_TRUE(
          at::equal(torch::autograd::grad({y.sum()}, {x})[0], factors.narrow(-1, first, part)));
    }
  }
  const DropoutOptions behind{.probability = 0.5, .columns = {.first = 3, .whole = 8}};
  EXPECT_THROW(dropout(at::ones({2, 6}), behind), UsageError);
}

// Where torch draws the mask.
TEST(ElementDropout, ColumnsOfADoubleTensorDropWhatItDrops) {
  const at::Tensor whole = at::randn({5, 20}, at::kDouble);
  at::manual_seed(3);
  const at::Tensor expected = dropout(whole, {.probability = 0.4});
  at::manual_seed(3);
  const at::Tensor part =
      dropout(whole.narrow(-1, 5, 10), {.probability = 0.4, .columns = {.first = 5, .whole = 20}});
  EXPECT_TRUE(at::allclose(part, expected.narrow(-1, 5, 10)));
}

TEST(ElementDropout, DrawsItsSeedFromTorchsGenerator) {
  const at::Tensor x = at::randn({1000});
  at::manual_seed(3);
  const at::Tensor first = dropout(x, {0.5}), second = dropout(x, {0.5});
  EXPECT_FALSE(at::equal(first, second));
  at::manual_seed(3);
  EXPECT_TRUE(at::equal(dropout(x, {0.5}), first));
}

TEST(ElementDropout, TakesBFloat16AndTheEnds) {
  const at::Tensor x = at::randn({9, 50}).to(at::kBFloat16);
  const at::Tensor y = dropout(x, {0.5, 3});
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::equal(y, x * dropout(at::ones_like(x), {0.5, 3})));
  EXPECT_TRUE(at::equal(dropout(x, {0.0}), x));
  EXPECT_TRUE(at::equal(dropout(x, {1.0}), at::zeros_like(x)));
  EXPECT_THROW(dropout(x, {1.5}), UsageError);
  EXPECT_THROW(add_dropout(x, x.t(), {0.5}), UsageError);
}

}  // namespace
}  // namespace heed
