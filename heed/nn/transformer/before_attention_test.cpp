#include "heed/nn/transformer/before_attention.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/nn/decoder.h"
#include "heed/nn/encoder.h"
#include "heed/nn/testing/finite_differences.h"
#include "heed/nn/testing/test_tensors.h"
#include "heed/nn/transformer/recompute.h"

namespace heed::nn {
namespace {

const char* const kParts[] = {"conv", "gru", "lstm"};

LayerOptions layer_with(const char* part, bool norm_first) {
  return {.d_model = 16,
          .num_heads = 4,
          .d_ff = 32,
          .feed_forward = {Activation::kGelu},
          .norm_first = norm_first,
          .before_attention = part};
}

at::Tensor input_of_16(int64_t rows, int64_t length) {
  return at::randn({rows, length, 16}, at::kDouble);
}

TEST(BeforeAttention, IsAPartOfTheLayerAsTheOthersAre) {
  for (const char* part : kParts) {
    for (const bool norm_first : {false, true}) {
      at::manual_seed(3);
      EncoderLayer layer(layer_with(part, norm_first));
      layer.to(at::kDouble);
      const at::Tensor x = input_of_16(2, 6);
      const auto forward = [&](const at::Tensor& t) { return layer.feed_forward->forward(t); };
      at::Tensor expected;
      if (norm_first) {
        expected = x + layer.before_attention->forward(layer.before_attention_norm.forward(x));
        expected = expected + layer.attention->forward(layer.attention_norm.forward(expected));
        expected = expected + forward(layer.feed_forward_norm.forward(expected));
      } else {
        expected = layer.before_attention_norm.forward(x + layer.before_attention->forward(x));
        expected = layer.attention_norm.forward(expected + layer.attention->forward(expected));
        expected = layer.feed_forward_norm.forward(expected + forward(expected));
      }
      EXPECT_LT(distance(layer.forward(x), expected), 1e-12) << part << norm_first;
    }
  }
}

TEST(BeforeAttention, PaddingChangesNothingInAnEncoder) {
  for (const char* part : kParts) {
    at::manual_seed(3);
    Encoder encoder(2, layer_with(part, /*norm_first=*/true));
    encoder.to(at::kDouble);
    const at::Tensor x = input_of_16(3, 9);
    const at::Tensor lengths = at::tensor({9, 4, 1}, at::kLong);
    x[1].slice(0, 4).fill_(1e6);
    const at::Tensor together = encoder.forward(
        x, Pattern::padded({.key = lengths, .query = lengths}), /*trace=*/nullptr, lengths);
    for (int64_t b = 0; b < 3; ++b) {
      const int64_t n = lengths[b].item<int64_t>();
      const at::Tensor alone = encoder.forward(x.slice(0, b, b + 1).slice(1, 0, n));
      EXPECT_LT(distance(together[b].slice(0, 0, n), alone[0]), 1e-10) << part << b;
    }
  }
}

// Where attention sees each token alone, what reaches a token from elsewhere came before it.
TEST(BeforeAttention, EncodersReadInBothDirectionsDecodersInOne) {
  for (const char* part : kParts) {
    at::manual_seed(3);
    LayerOptions options = layer_with(part, /*norm_first=*/true);
    options.attention.pattern = "window:0:0";
    Encoder encoder(1, options);
    Decoder decoder(1, options);
    encoder.to(at::kDouble);
    decoder.to(at::kDouble);
    const at::Tensor x = input_of_16(1, 7);
    at::Tensor other = x.clone();
    other.select(1, 3).neg_();
    const auto change = [&](const auto& network, int64_t token) {
      return distance(network.forward(x).select(1, token), network.forward(other).select(1, token));
    };
    EXPECT_GT(change(encoder, 2), 1e-6) << part;
    EXPECT_GT(change(encoder, 4), 1e-6) << part;
    EXPECT_EQ(change(decoder, 2), 0) << part;
    EXPECT_GT(change(decoder, 4), 1e-6) << part;
  }
}

TEST(BeforeAttention, ADecoderByTokenGivesWhatAllAtOnceGives) {
  for (const char* part : kParts) {
    at::manual_seed(3);
    Decoder decoder(2, layer_with(part, /*norm_first=*/true));
    decoder.to(at::kDouble);
    const at::Tensor x = input_of_16(2, 12);
    const at::Tensor whole = decoder.forward(x);
    DecoderCache cache;
    std::vector<at::Tensor> pieces = {decoder.forward(x.slice(1, 0, 3), {.cache = &cache})};
    for (int64_t n = 3; n < 12; ++n) {
      pieces.push_back(decoder.forward(x.slice(1, n, n + 1), {.cache = &cache}));
    }
    EXPECT_LT(distance(at::cat(pieces, 1), whole), 1e-10) << part;
  }
}

// Rows of different lengths, and a row that is taken twice.
TEST(BeforeAttention, EachRowOfADecoderGoesOnBehindItsEnd) {
  for (const char* part : kParts) {
    at::manual_seed(3);
    Decoder decoder(2, layer_with(part, /*norm_first=*/true));
    decoder.to(at::kDouble);
    const at::Tensor x = input_of_16(2, 9);
    const at::Tensor next = input_of_16(3, 1);
    DecoderCache cache;
    decoder.forward(x, {.lengths = at::tensor({9, 4}, at::kLong), .cache = &cache});
    cache.select(at::tensor({1, 0, 1}, at::kLong));
    const at::Tensor behind = decoder.forward(next, {.cache = &cache});
    const int64_t rows[] = {1, 0, 1};
    const int64_t ends[] = {4, 9, 4};
    for (int64_t b = 0; b < 3; ++b) {
      const at::Tensor row = x.slice(0, rows[b], rows[b] + 1).slice(1, 0, ends[b]);
      const at::Tensor alone = decoder.forward(at::cat({row, next.slice(0, b, b + 1)}, 1));
      EXPECT_LT(distance(behind[b][0], alone[0][ends[b]]), 1e-10) << part << b;
    }
  }
}

TEST(BeforeAttention, GradientsAreThoseOfFiniteDifferences) {
  for (const char* part : kParts) {
    at::manual_seed(3);
    Encoder encoder(1, layer_with(part, /*norm_first=*/true));
    encoder.to(at::kDouble);
    const at::Tensor x = input_of_16(2, 5);
    const at::Tensor lengths = at::tensor({5, 3}, at::kLong);
    const at::Tensor upstream = input_of_16(2, 5);
    const auto loss = [&] {
      const at::Tensor states = encoder.forward(
          x, Pattern::padded({.key = lengths, .query = lengths}), /*trace=*/nullptr, lengths);
      return (states * upstream)[0].sum() + (states * upstream)[1].slice(0, 0, 3).sum();
    };
    expect_gradients({encoder.layers[0]->before_attention.get()}, loss, part);
  }
}

TEST(BeforeAttention, ComesAgainWhereActivationsAreNotKept) {
  for (const char* part : kParts) {
    at::manual_seed(3);
    Encoder encoder(2, layer_with(part, /*norm_first=*/true));
    encoder.to(at::kDouble);
    const at::Tensor x = input_of_16(2, 5);
    const at::Tensor lengths = at::tensor({5, 3}, at::kLong);
    const auto gradient = [&](bool again) {
      encoder.zero_grad();
      const GradientCheckpointing checkpointing(again);
      encoder.forward(x, Pattern::padded({.key = lengths}), /*trace=*/nullptr, lengths)
          .slice(1, 0, 3)
          .square()
          .sum()
          .backward();
      return encoder.layers[0]->before_attention->parameters()[0].grad().clone();
    };
    EXPECT_LT(distance(gradient(false), gradient(true)), 1e-10) << part;
  }
}

TEST(BeforeAttention, WhatCannotBeIsRefused) {
  LayerOptions odd = layer_with("gru", /*norm_first=*/true);
  odd.d_model = 15;
  odd.num_heads = 3;
  EXPECT_THROW(EncoderLayer{odd}, UsageError);
  EXPECT_NO_THROW(DecoderLayer{odd});
  EXPECT_THROW(EncoderLayer{layer_with("rnn", true)}, UsageError);
}

}  // namespace
}  // namespace heed::nn
