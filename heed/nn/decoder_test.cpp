#include "heed/nn/decoder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/nn/attention/decoder_pattern.h"
#include "heed/nn/testing/test_tensors.h"

namespace heed::nn {
namespace {

LayerOptions small(bool norm_first) {
  return {.d_model = 16,
          .num_heads = 4,
          .d_ff = 32,
          .feed_forward = {Activation::kGelu},
          .norm_first = norm_first,
          .d_memory = 12};
}

TEST(DecoderLayer, IsItsThreePartsInOrder) {
  at::manual_seed(5);
  const at::Tensor x = at::randn({2, 7, 16});
  const at::Tensor states = at::randn({2, 9, 12});
  for (const bool norm_first : {false, true}) {
    const DecoderLayer layer(small(norm_first));
    const ProjectedMemory memory = layer.cross_attention->project(states);
    const auto attend = [&](const at::Tensor& t) {
      return layer.attention->forward(t, Pattern::causal());
    };
    const auto cross = [&](const at::Tensor& t) {
      return layer.cross_attention->forward(t, memory, Pattern::full());
    };
    at::Tensor expected;
    if (!norm_first) {
      expected = layer.attention_norm.forward(x + attend(x));
      expected = layer.cross_attention_norm.forward(expected + cross(expected));
      expected = layer.feed_forward_norm.forward(expected + layer.feed_forward->forward(expected));
    } else {
      expected = x + attend(layer.attention_norm.forward(x));
      expected = expected + cross(layer.cross_attention_norm.forward(expected));
      expected = expected + layer.feed_forward->forward(layer.feed_forward_norm.forward(expected));
    }
    const DecoderLayer::Context context{.self = {.pattern = Pattern::causal()}, .memory = &memory};
    EXPECT_TRUE(at::equal(layer.forward(x, context), expected));
    EXPECT_THROW(layer.forward(x, {.self = {.pattern = Pattern::causal()}}), UsageError);
  }
}

TEST(Decoder, ATokenDoesNotSeeWhatFollows) {
  at::manual_seed(5);
  LayerOptions options = small(true);
  options.d_memory = 0;
  const Decoder decoder(2, options);
  at::Tensor x = at::randn({1, 8, 16});
  const at::Tensor before = decoder.forward(x, {});
  x = x.clone();
  x.slice(1, 5).fill_(7);
  const at::Tensor after = decoder.forward(x, {});
  EXPECT_TRUE(at::equal(before.slice(1, 0, 5), after.slice(1, 0, 5)));
  EXPECT_GT(distance(before.slice(1, 5), after.slice(1, 5)), 0.1);
  const Memory memory{.states = at::randn({1, 3, 12})};
  EXPECT_THROW(decoder.forward(x, {.memory = &memory}), UsageError);
}

at::Tensor pairs(const NewTokens& tokens) {
  const Pattern::Sizes sizes{.batch = tokens.batch,
                             .heads = 1,
                             .queries = tokens.count,
                             .keys = end_of(tokens.positions, tokens.count)};
  const at::Tensor mask = decoder_pattern(tokens).mask(sizes, at::kCPU);
  const std::vector<int64_t> shape = {sizes.batch, 1, sizes.queries, sizes.keys};
  return mask.defined() ? mask.expand(shape) : at::ones(shape, at::kBool);
}

// Row b of any batch sees what it would see alone.
TEST(DecoderPattern, IsThatOfEachRowAlone) {
  for (const char* text : {"full", "window:2:0", "window:2:0|global:1"}) {
    const Pattern own = pattern_from(text);
    for (const int64_t count : {1, 3}) {
      const at::Tensor starts = at::tensor({4, 0, 6}, at::kLong);
      const at::Tensor together = pairs(
          {.own = own, .positions = {.start = 6, .starts = starts}, .batch = 3, .count = count});
      for (int64_t b = 0; b < 3; ++b) {
        const int64_t start = starts[b].item<int64_t>();
        const at::Tensor alone =
            pairs({.own = own, .positions = {.start = start}, .batch = 1, .count = count});
        EXPECT_TRUE(at::equal(together[b].slice(2, 0, start + count), alone[0])) << text;
        EXPECT_FALSE(together[b].slice(2, start + count).any().item<bool>()) << text;
      }
    }
  }
}

TEST(DecoderPattern, LeavesOutWhatIsPadding) {
  const at::Tensor seen = pairs({.positions = {.start = 2},
                                 .batch = 2,
                                 .count = 3,
                                 .lengths = at::tensor({1, 3}, at::kLong)});
  EXPECT_EQ(seen[0].sum().item<int64_t>(), 3);
  EXPECT_EQ(seen[1].sum().item<int64_t>(), 3 + 4 + 5);
}

}  // namespace
}  // namespace heed::nn
