#include "heed/nn/encoder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/nn/testing/test_tensors.h"

namespace heed::nn {
namespace {

LayerOptions small_encoder(bool norm_first) {
  return {.d_model = 16,
          .num_heads = 4,
          .d_ff = 32,
          .feed_forward = {Activation::kGelu},
          .norm_first = norm_first};
}

TEST(EncoderLayer, PostNormNormalisesEachSum) {
  at::manual_seed(5);
  const EncoderLayer layer(small_encoder(false));
  const at::Tensor x = at::randn({2, 9, 16});
  const Pattern full = Pattern::full();
  const at::Tensor first = layer.attention_norm.forward(x + layer.attention->forward(x, full));
  const at::Tensor expected =
      layer.feed_forward_norm.forward(first + layer.feed_forward->forward(first));
  EXPECT_LT(distance(layer.forward(x, full), expected), 1e-6);
  EXPECT_LT(layer.forward(x, full).mean(-1).abs().max().item<double>(), 1e-6);
}

TEST(EncoderLayer, PreNormKeepsTheResidualPath) {
  at::manual_seed(5);
  const EncoderLayer layer(small_encoder(true));
  const at::Tensor x = at::randn({2, 9, 16});
  const Pattern full = Pattern::full();
  const at::Tensor first = x + layer.attention->forward(layer.attention_norm.forward(x), full);
  const at::Tensor expected =
      first + layer.feed_forward->forward(layer.feed_forward_norm.forward(first));
  EXPECT_LT(distance(layer.forward(x, full), expected), 1e-6);
}

TEST(EncoderLayer, WithoutAPatternFollowsThatOfItsOptions) {
  at::manual_seed(5);
  LayerOptions options = small_encoder(true);
  const at::Tensor x = at::randn({2, 9, 16});
  const EncoderLayer free(options);
  EXPECT_TRUE(at::equal(free.forward(x), free.forward(x, Pattern::full())));
  options.attention.pattern = "causal";
  const EncoderLayer causal(options);
  EXPECT_TRUE(at::equal(causal.forward(x), causal.forward(x, Pattern::causal())));
  AttentionTrace trace;
  causal.forward(x, {}, &trace);
  EXPECT_EQ(trace.weights[0].triu(1).abs().max().item<double>(), 0);
}

TEST(Encoder, RunsItsLayersInOrderAndTracesEach) {
  at::manual_seed(5);
  const Encoder encoder(3, small_encoder(true));
  const at::Tensor x = at::randn({1, 6, 16});
  AttentionTrace trace;
  const at::Tensor output = encoder.forward(x, Pattern::full(), &trace);
  EXPECT_EQ(trace.weights.size(), 3U);
  at::Tensor expected = x;
  for (const auto& layer : encoder.layers) expected = layer->forward(expected, Pattern::full());
  EXPECT_TRUE(at::equal(output, encoder.final_norm.forward(expected)));
}

TEST(Encoder, PaddingDoesNotReachRealTokens) {
  at::manual_seed(5);
  const Encoder encoder(2, small_encoder(false));
  const at::Tensor x = at::randn({1, 6, 16});
  const at::Tensor padded = at::cat({x, at::full({1, 5, 16}, 1e3)}, 1);
  const at::Tensor lengths = at::tensor({6}, at::kLong);
  const at::Tensor with =
      encoder.forward(padded, Pattern::padded({.key = lengths, .query = lengths}));
  const at::Tensor without = encoder.forward(x, Pattern::full());
  EXPECT_LT(distance(with.slice(1, 0, 6), without), 1e-5);
}

TEST(Encoder, JoinsThePatternOfItsOptions) {
  at::manual_seed(5);
  LayerOptions options = small_encoder(true);
  options.attention.pattern = "window:1:1";
  const Encoder encoder(1, options);
  AttentionTrace trace;
  encoder.forward(at::randn({1, 6, 16}), Pattern::full(), &trace);
  const at::Tensor outside = trace.weights[0].triu(2) + trace.weights[0].tril(-2);
  EXPECT_EQ(outside.abs().max().item<double>(), 0);
  EXPECT_GT(trace.weights[0].triu(1).abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace heed::nn
