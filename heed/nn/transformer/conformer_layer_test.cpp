#include "heed/nn/transformer/conformer_layer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/nn/layers/subsampling.h"

namespace heed::nn {
namespace {

LayerOptions small() {
  return {.d_model = 16,
          .num_heads = 2,
          .d_ff = 32,
          .attention = {.positions = "rotary"},
          .feed_forward = {Activation::kSilu}};
}

// The steps of a sound do not depend on what it is padded with, or with whom it is read.
TEST(Conformer, PaddingChangesNothing) {
  at::manual_seed(1);
  const Subsampling shorter({.bins = 10, .factor = 4, .channels = 3, .d_model = 16});
  const ConformerEncoder encoder(2, small(), 5);
  const at::NoGradGuard no_grad;
  const at::Tensor frames = at::randn({2, 30, 10});
  const at::Tensor lengths = at::tensor({30, 13}, at::kLong);
  const auto both = shorter.forward(frames, lengths);
  EXPECT_EQ(both.states.sizes(), at::IntArrayRef({2, 8, 16}));
  EXPECT_TRUE(at::equal(both.lengths, at::tensor({8, 4}, at::kLong)));
  const at::Tensor states = encoder.forward(both.states, both.lengths);
  const auto alone = shorter.forward(frames.slice(0, 1).slice(1, 0, 13));
  ASSERT_EQ(alone.states.size(1), 4);
  const at::Tensor single = encoder.forward(alone.states);
  EXPECT_TRUE(at::allclose(states[1].slice(0, 0, 4), single[0], 1e-5, 1e-5));
}

// Written out once more, with torch's operators.
TEST(Conformer, IsTheFormula) {
  at::manual_seed(2);
  ConformerLayer layer(small(), 3);
  const at::NoGradGuard no_grad;
  for (auto& parameter : layer.parameters()) parameter.normal_(0, 0.3);
  const at::Tensor input = at::randn({2, 6, 16});
  const auto normed = [](const Norm& norm, const at::Tensor& x) {
    return at::layer_norm(x, {16}, norm.layer->weight, norm.layer->bias);
  };
  const auto fed = [](const FeedForward& part, const at::Tensor& x) {
    return at::linear(at::silu(at::linear(x, part.up->weight, part.up->bias)), part.down->weight,
                      part.down->bias);
  };
  at::Tensor x =
      input + 0.5 * fed(*layer.first_feed_forward, normed(layer.first_feed_forward_norm, input));
  x = x + layer.attention->forward(normed(layer.attention_norm, x));
  const ConvolutionModule& near = *layer.convolution;
  at::Tensor y =
      at::glu(at::linear(normed(layer.convolution_norm, x), near.up->weight, near.up->bias), -1);
  const at::Tensor padded = at::constant_pad_nd(y, {0, 0, 1, 1});
  y = near.bias + padded.slice(1, 0, 6) * near.weight.select(2, 0).squeeze(1) +
      padded.slice(1, 1, 7) * near.weight.select(2, 1).squeeze(1) +
      padded.slice(1, 2, 8) * near.weight.select(2, 2).squeeze(1);
  x = x + at::linear(at::silu(normed(near.norm, y)), near.down->weight, near.down->bias);
  x = x + 0.5 * fed(*layer.feed_forward, normed(layer.feed_forward_norm, x));
  EXPECT_TRUE(at::allclose(layer.forward(input), normed(layer.final_norm, x), 1e-4, 1e-4));
}

TEST(Conformer, WhatCannotBeIsRefused) {
  EXPECT_THROW(ConvolutionModule({.d_model = 4, .kernel_size = 4}), UsageError);
  EXPECT_THROW(Subsampling({.bins = 8, .factor = 6, .d_model = 4}), UsageError);
}

TEST(Conformer, WithoutSubsamplingFramesAreProjected) {
  const Subsampling same({.bins = 8, .factor = 1, .d_model = 4});
  EXPECT_EQ(same.forward(at::randn({1, 5, 8})).states.sizes(), at::IntArrayRef({1, 5, 4}));
}

}  // namespace
}  // namespace heed::nn
