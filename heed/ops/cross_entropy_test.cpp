#include "heed/ops/cross_entropy.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/ops/testing/rule_of_two.h"

namespace heed {
namespace {

Tensors by_torch(const Tensors& in, const CrossEntropyOptions& options) {
  const bool none = options.reduction == Reduction::kNone;
  const auto reduction = none                                   ? at::Reduction::None
                         : options.reduction == Reduction::kSum ? at::Reduction::Sum
                                                                : at::Reduction::Mean;
  return {at::cross_entropy_loss(in[0], in[1], {}, reduction, options.ignored_target,
                                 options.label_smoothing)};
}

struct Trial {
  Tensors inputs, grads;
};
Trial random_trial(int64_t rows, int64_t classes, Reduction reduction) {
  const at::Tensor targets = at::randint(classes, {rows}, at::kLong);
  if (rows > 2) targets[1] = -100;
  const at::Tensor grad = reduction == Reduction::kNone ? at::randn({rows}) : at::randn({});
  return {{at::randn({rows, classes}) * 4, targets}, {grad}};
}

TEST(CrossEntropy, IsAsExactAsTorch) {
  at::manual_seed(1);
  for_each_available_isa([] {
    for (const double smoothing : {0.0, 0.1}) {
      for (const auto reduction : {Reduction::kMean, Reduction::kSum, Reduction::kNone}) {
        SCOPED_TRACE(static_cast<int>(reduction));
        const CrossEntropyOptions options{.label_smoothing = smoothing, .reduction = reduction};
        for (const auto type : {at::kFloat, at::kBFloat16}) {
          RuleOfTwo rule(
              [&](const Tensors& in) {
                return Tensors{cross_entropy(in[0], in[1], options).to(in[0].scalar_type())};
              },
              [&](const Tensors& in) { return by_torch(in, options); });
          for (const int64_t classes : {2, 7, 17, 65, 1500}) {
            for (const int64_t rows : {1, 6, 70}) {
              const Trial t = random_trial(rows, classes, reduction);
              rule.add(t.inputs, t.grads, type);
            }
          }
        }
      }
    }
  });
}

TEST(CrossEntropy, DoesNotDependOnTheThreads) {
  at::manual_seed(2);
  const Trial t = random_trial(300, 700, Reduction::kMean);
  expect_no_trace_of_threads(
      [](const Tensors& in) {
        return Tensors{cross_entropy(in[0], in[1], {.label_smoothing = 0.1})};
      },
      t.inputs, t.grads);
}

TEST(CrossEntropy, CanBeDifferentiatedTwice) {
  at::manual_seed(3);
  for (const auto reduction : {Reduction::kMean, Reduction::kNone}) {
    const CrossEntropyOptions options{.label_smoothing = 0.1, .reduction = reduction};
    expect_second_derivatives(
        [&](const Tensors& in) { return Tensors{cross_entropy(in[0], in[1], options)}; },
        [&](const Tensors& in) { return by_torch(in, options); },
        random_trial(5, 9, reduction).inputs);
  }
}

TEST(CrossEntropy, HoldsAtTheEnds) {
  // Logits of ±1e4: no overflow, and the loss is their difference.
  const at::Tensor logits = at::tensor({1e4F, -1e4F}).view({1, 2});
  EXPECT_EQ(cross_entropy(logits, at::tensor({int64_t{1}})).item<float>(), 2e4F);
  EXPECT_EQ(cross_entropy(logits, at::tensor({int64_t{0}})).item<float>(), 0.0F);
  // A class that a mask took away.
  const at::Tensor masked = at::tensor({0.0F, -INFINITY, 0.0F}).view({1, 3}).requires_grad_();
  const at::Tensor loss = cross_entropy(masked, at::tensor({int64_t{0}}));
  EXPECT_FLOAT_EQ(loss.item<float>(), std::log(2.0F));
  loss.backward();
  EXPECT_TRUE(at::allclose(masked.grad(), at::tensor({-0.5F, 0.0F, 0.5F}).view({1, 3})));
  // NaN comes out.
  const at::Tensor unknown = at::tensor({0.0F, NAN, 0.0F}).view({1, 3});
  EXPECT_TRUE(std::isnan(cross_entropy(unknown, at::tensor({int64_t{0}})).item<float>()));
  // Nothing to learn from.
  const at::Tensor ignored = at::tensor({int64_t{-100}});
  EXPECT_TRUE(std::isnan(cross_entropy(logits, ignored).item<float>()));
  EXPECT_EQ(cross_entropy(logits, ignored, {.reduction = Reduction::kSum}).item<float>(), 0.0F);
}

TEST(CrossEntropy, TakesManyDimensionsAndStrides) {
  const at::Tensor wide = at::randn({2, 5, 40});
  const at::Tensor logits = wide.slice(2, 3, 33);
  const at::Tensor targets = at::randint(30, {2, 5}, at::kLong);
  const at::Tensor want = by_torch({logits.reshape({10, 30}), targets.reshape({10})},
                                   {.reduction = Reduction::kNone})[0];
  const at::Tensor got = cross_entropy(logits, targets, {.reduction = Reduction::kNone});
  EXPECT_TRUE(at::allclose(got, want.view({2, 5})));
}

TEST(CrossEntropy, RefusesWhatDoesNotFit) {
  const at::Tensor logits = at::zeros({2, 3});
  EXPECT_THROW(cross_entropy(logits, at::zeros({3}, at::kLong)), UsageError);
  EXPECT_THROW(cross_entropy(logits, at::zeros({2})), UsageError);
  EXPECT_THROW(cross_entropy(logits, at::zeros({2}, at::kLong), {.label_smoothing = 2}),
               UsageError);
  EXPECT_THROW(cross_entropy(logits, at::full({2}, 3, at::kLong)), DataError);
}

}  // namespace
}  // namespace heed
