#include "heed/ops/norm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/ops/testing/rule_of_two.h"

namespace heed {
namespace {

Tensors layer(const Tensors& in) { return {heed::layer_norm(in[0], in[1], in[2])}; }
Tensors torch_layer(const Tensors& in) {
  return {at::layer_norm(in[0], {in[0].size(-1)}, in[1], in[2])};
}
Tensors root(const Tensors& in) { return {heed::rms_norm(in[0], in[1], 1e-5)}; }
Tensors torch_root(const Tensors& in) {
  return {in[0] * at::rsqrt(in[0].square().mean(-1, true) + 1e-5) * in[1]};
}
Tensors add_layer(const Tensors& in) {
  const ResidualNorm both = add_layer_norm(in[0], in[1], in[2], in[3]);
  return {both.sum, both.normalised};
}
Tensors torch_add_layer(const Tensors& in) {
  const at::Tensor sum = in[0] + in[1];
  return {sum, at::layer_norm(sum, {sum.size(-1)}, in[2], in[3])};
}
Tensors add_root(const Tensors& in) {
  const ResidualNorm both = add_rms_norm(in[0], in[1], in[2], 1e-5);
  return {both.sum, both.normalised};
}
Tensors torch_add_root(const Tensors& in) {
  const at::Tensor sum = in[0] + in[1];
  return {sum, torch_root({sum, in[2]})[0]};
}

struct Kind {
  const char* name;
  TensorFunction heeds, torchs;
  int rows = 1;        // inputs of (..., C)
  int parameters = 1;  // of (C)
};
const Kind kKinds[] = {{"layer norm", layer, torch_layer, 1, 2},
                       {"RMS norm", root, torch_root, 1, 1},
                       {"add, layer norm", add_layer, torch_add_layer, 2, 2},
                       {"add, RMS norm", add_root, torch_add_root, 2, 1}};

struct NormTrial {
  Tensors inputs, grads;
};
NormTrial random_trial(const Kind& kind, at::IntArrayRef sizes) {
  NormTrial t;
  for (int i = 0; i < kind.rows; ++i) t.inputs.push_back(at::randn(sizes) * 2 + 0.5);
  for (int i = 0; i < kind.parameters; ++i) t.inputs.push_back(at::randn({sizes.back()}) + 1);
  for (int i = 0; i < kind.rows; ++i) t.grads.push_back(at::randn(sizes));
  return t;
}

TEST(Norm, IsAsExactAsTorch) {
  at::manual_seed(1);
  for_each_available_isa([] {
    for (const Kind& kind : kKinds) {
      SCOPED_TRACE(kind.name);
      for (const auto type : {at::kFloat, at::kBFloat16}) {
        SCOPED_TRACE(at::toString(type));
        RuleOfTwo rule(kind.heeds, kind.torchs);
        for (const int64_t width : {7, 16, 33, 65, 130, 384}) {
          for (const int64_t rows : {1, 5, 100}) {
            const NormTrial t = random_trial(kind, {2, rows, width});
            rule.add(t.inputs, t.grads, type);
          }
        }
      }
    }
  });
}

TEST(Norm, DoesNotDependOnTheThreads) {
  at::manual_seed(2);
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.name);
    const NormTrial t = random_trial(kind, {1500, 70});
    expect_no_trace_of_threads(kind.heeds, t.inputs, t.grads);
  }
}

TEST(Norm, CanBeDifferentiatedTwice) {
  at::manual_seed(3);
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.name);
    expect_second_derivatives(kind.heeds, kind.torchs, random_trial(kind, {3, 9}).inputs);
  }
}

TEST(Norm, TakesAnyLayoutAndMissingParameters) {
  const at::Tensor x = at::randn({20, 6}).t();
  EXPECT_TRUE(at::allclose(heed::layer_norm(x, {}), at::layer_norm(x, {20})));
  const at::Tensor bias = at::randn({20}).requires_grad_();
  const at::Tensor y = heed::layer_norm(x, {}, bias);
  EXPECT_TRUE(at::allclose(y, at::layer_norm(x, {20}, {}, bias)));
  y.sum().backward();
  EXPECT_TRUE(at::allclose(bias.grad(), at::full({20}, 6.0)));
}

TEST(Norm, KeepsTheWideStreamOfANarrowBranch) {
  const at::Tensor branch = at::randn({4, 32}).to(at::kBFloat16).requires_grad_();
  const at::Tensor stream = at::randn({4, 32}).requires_grad_();
  const auto both = add_layer_norm(branch, stream, at::ones({32}), at::zeros({32}));
  EXPECT_EQ(both.sum.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::equal(both.sum, branch.to(at::kFloat) + stream));
  (both.normalised * at::randn({4, 32})).sum().backward();
  EXPECT_EQ(branch.grad().scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::equal(branch.grad(), stream.grad().to(at::kBFloat16)));
}

TEST(Norm, SumAloneHasAGradient) {
  const at::Tensor x = at::randn({4, 8}).requires_grad_(), stream = at::randn({4, 8});
  add_layer_norm(x, stream, at::ones({8})).sum.sum().backward();
  EXPECT_TRUE(at::equal(x.grad(), at::ones({4, 8})));
}

TEST(Norm, PassesNaNOn) {
  at::Tensor x = at::randn({3, 20});
  x[1][7] = NAN;
  const at::Tensor y = heed::layer_norm(x, at::ones({20}));
  EXPECT_TRUE(y[1].isnan().all().item<bool>());
  EXPECT_FALSE(y[0].isnan().any().item<bool>());
}

TEST(Norm, RefusesWhatDoesNotFit) {
  EXPECT_THROW(heed::layer_norm(at::ones({2, 3}), at::ones({4})), UsageError);
  EXPECT_THROW(add_rms_norm(at::ones({2, 3}), at::ones({2, 4}), at::ones({3})), UsageError);
  EXPECT_THROW(add_rms_norm(at::ones({2, 3}), {}, at::ones({3})), UsageError);
  EXPECT_EQ(heed::rms_norm(at::ones({0, 3}), at::ones({3})).numel(), 0);
}

}  // namespace
}  // namespace heed
