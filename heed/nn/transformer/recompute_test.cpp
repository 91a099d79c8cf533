#include "heed/nn/transformer/recompute.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include "heed/nn/decoder.h"
#include "heed/nn/encoder.h"
#include "heed/nn/testing/test_tensors.h"

namespace heed::nn {
namespace {

LayerOptions with_dropout() {
  return {.d_model = 16,
          .num_heads = 4,
          .d_ff = 32,
          .feed_forward = {Activation::kGelu},
          .norm_first = true,
          .dropout = 0.2,
          .attention_dropout = 0.1};
}

// The result, its gradient by x and by all parameters, with the same random numbers each time.
template <typename Forward>
std::vector<at::Tensor> results(torch::nn::Module& model, bool again, const Forward& forward) {
  const GradientCheckpointing scope(again);
  model.zero_grad();
  at::manual_seed(11);
  const at::Tensor x = at::randn({3, 7, 16}).requires_grad_();
  const at::Tensor out = forward(x);
  std::vector<at::Tensor> all = {out.detach(), at::rand({1})};  // so many numbers were drawn
  (out * at::randn(out.sizes())).sum().backward();
  all.push_back(x.grad());
  for (const at::Tensor& parameter : model.parameters()) {
    all.push_back(parameter.grad().defined() ? parameter.grad().clone() : at::zeros({1}));
  }
  return all;
}

void expect_same(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b, double bound) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(a[i].sizes() == b[i].sizes() && distance(a[i], b[i]) <= bound) << i;
  }
}

TEST(Recompute, AnEncoderGivesTheSameBits) {
  at::manual_seed(2);
  Encoder encoder(3, with_dropout());
  const auto forward = [&](const at::Tensor& x) { return encoder.forward(x); };
  expect_same(results(encoder, false, forward), results(encoder, true, forward), 0);
}

// Layers that share weights, and a table of the first layer that all of them read.
TEST(Recompute, SharedWeightsGetTheGradientsOfAll) {
  at::manual_seed(2);
  LayerOptions options = with_dropout();
  options.details.layer_groups = 1;
  options.details.inner_layers = 2;
  Encoder shared(4, options);
  const auto forward = [&](const at::Tensor& x) { return shared.forward(x); };
  expect_same(results(shared, false, forward), results(shared, true, forward), 1e-5);
  options = with_dropout();
  options.attention.positions = "relative";
  options.attention.max_relative_positions = 16;
  options.details.attention.relative_buckets = 8;
  Encoder tables(3, options);
  const auto read = [&](const at::Tensor& x) { return tables.forward(x); };
  expect_same(results(tables, false, read), results(tables, true, read), 1e-5);
}

TEST(Recompute, ADecoderWithAMemory) {
  at::manual_seed(2);
  LayerOptions options = with_dropout();
  options.d_memory = 16;
  Decoder decoder(2, options);
  const auto forward = [&](const at::Tensor& x) {
    const Memory memory{.states = x * 2, .lengths = at::tensor({7, 3, 5}, at::kLong)};
    return decoder.forward(x, {.memory = &memory});
  };
  expect_same(results(decoder, false, forward), results(decoder, true, forward), 1e-5);
}

TEST(Recompute, UnderAutocast) {
  at::manual_seed(2);
  Encoder encoder(2, with_dropout());
  const auto forward = [&](const at::Tensor& x) {
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::increment_nesting();
    const at::Tensor out = encoder.forward(x);
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
    return out.to(at::kFloat);
  };
  expect_same(results(encoder, false, forward), results(encoder, true, forward), 0);
}

TEST(Recompute, WithoutGradientsThereIsNothingToKeep) {
  at::manual_seed(2);
  Encoder encoder(2, with_dropout());
  encoder.eval();
  const GradientCheckpointing scope(true);
  const at::NoGradGuard none;
  EXPECT_FALSE(encoder.forward(at::randn({1, 4, 16})).requires_grad());
}

}  // namespace
}  // namespace heed::nn
