#include "heed/nn/parameters/low_rank.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/nn/layers/linear.h"
#include "heed/nn/testing/test_tensors.h"

namespace heed::nn {
namespace {

constexpr int64_t kIn = 9, kOut = 14, kRank = 3;

// Rows 2 to 6 and 9 to 13 of a layer, with numbers everywhere.
std::shared_ptr<Linear> adapted(bool magnitudes, double dropout = 0) {
  at::manual_seed(3);
  auto layer = std::make_shared<Linear>(LinearOptions{.in = kIn, .out = kOut});
  layer->bias.detach().normal_();
  const auto parts = set_low_rank(*layer, {.parts = {{2, 5}, {9, 5}},
                                           .rank = kRank,
                                           .scale = 0.7,
                                           .dropout = dropout,
                                           .magnitudes = magnitudes});
  parts->b.detach().normal_(0, 0.5);
  if (magnitudes) parts->magnitudes.detach().uniform_(0.5, 1.5);
  return layer;
}

// W' of the header in float64.
at::Tensor whole_weight(const Linear& layer) {
  const LowRank& low = *low_rank_of(layer);
  at::Tensor weight = layer.weight.to(at::kDouble);
  std::vector<at::Tensor> rows = {weight.narrow(0, 0, 2)};
  for (int64_t p = 0; p < 2; ++p) {
    const at::Tensor a = low.a.to(at::kDouble).narrow(0, p * kRank, kRank);
    const at::Tensor b = low.b.to(at::kDouble).narrow(0, p * 5, 5);
    at::Tensor part = weight.narrow(0, p == 0 ? 2 : 9, 5) + 0.7 * b.matmul(a);
    if (low.magnitudes.defined()) {
      const at::Tensor lengths = part.norm(2, 1, true).detach();
      part = low.magnitudes.to(at::kDouble).narrow(0, p * 5, 5).unsqueeze(1) * part / lengths;
    }
    rows.push_back(part);
    if (p == 0) rows.push_back(weight.narrow(0, 7, 2));
  }
  return at::cat(rows);
}

TEST(LowRank, BeginsAsNothing) {
  at::manual_seed(1);
  Linear layer({.in = kIn, .out = kOut});
  const at::Tensor x = at::randn({4, kIn});
  const at::Tensor before = layer.forward(x);
  set_low_rank(layer, {.parts = {{0, kOut}}, .rank = 2, .scale = 4, .magnitudes = true});
  EXPECT_LT(distance(layer.forward(x), before), 1e-6);
  EXPECT_LE(low_rank_of(layer)->a.abs().max().item<double>(), 1.0 / 3);
}

TEST(LowRank, IsTheFormulaInItsHeader) {
  for (const bool magnitudes : {false, true}) {
    const auto layer = adapted(magnitudes);
    const at::Tensor x = at::randn({2, 5, kIn}).requires_grad_();
    const at::Tensor out = layer->forward(x, Activation::kGelu);
    const at::Tensor exact =
        at::gelu(at::linear(x.to(at::kDouble), whole_weight(*layer), layer->bias.to(at::kDouble)));
    EXPECT_LT(distance(out, exact), 2e-6) << magnitudes;

    const at::Tensor weight = at::randn(out.sizes());
    std::vector<at::Tensor> leaves = {x, low_rank_of(*layer)->a, low_rank_of(*layer)->b};
    if (magnitudes) leaves.push_back(low_rank_of(*layer)->magnitudes);
    const auto gradients = [&](const at::Tensor& of) {
      for (at::Tensor& leaf : leaves) leaf.mutable_grad() = at::Tensor();
      (of * weight).sum().backward();
      std::vector<at::Tensor> found;
      for (const at::Tensor& leaf : leaves) found.push_back(leaf.grad().clone());
      return found;
    };
    const auto found = gradients(out), expected = gradients(exact);
    for (size_t i = 0; i < found.size(); ++i) EXPECT_LT(distance(found[i], expected[i]), 2e-5) << i;
  }
}

TEST(LowRank, MergedIsTheSame) {
  for (const bool magnitudes : {false, true}) {
    const auto layer = adapted(magnitudes);
    const at::Tensor x = at::randn({5, kIn});
    const at::Tensor before = layer->forward(x);
    merge_low_rank(*layer);
    EXPECT_EQ(low_rank_of(*layer), nullptr);
    EXPECT_EQ(layer->parameters().size(), 2u);
    EXPECT_LT(distance(layer->forward(x), before), 2e-6);
  }
}

TEST(LowRank, DropoutIsOfTrainingAlone) {
  const auto layer = adapted(false, 0.5);
  const at::Tensor x = at::randn({5, kIn});
  EXPECT_GT(distance(layer->forward(x), layer->forward(x)), 1e-3);
  layer->eval();
  EXPECT_EQ(distance(layer->forward(x), layer->forward(x)), 0);
}

TEST(LowRank, RefusesWhatIsNotInTheWeight) {
  Linear layer({.in = kIn, .out = kOut});
  EXPECT_THROW(set_low_rank(layer, {.parts = {{10, 5}}}), UsageError);
  EXPECT_THROW(set_low_rank(layer, {.parts = {{3, 4}, {5, 2}}}), UsageError);
  EXPECT_THROW(set_low_rank(layer, {.parts = {{0, 5}}, .rank = 0}), UsageError);
}

}  // namespace
}  // namespace heed::nn
