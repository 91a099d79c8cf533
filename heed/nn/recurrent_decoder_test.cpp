#include "heed/nn/recurrent_decoder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/nn/attention/attention_recorder.h"
#include "heed/nn/recurrent_encoder.h"
#include "heed/nn/testing/finite_differences.h"
#include "heed/nn/testing/test_tensors.h"

namespace heed::nn {
namespace {

constexpr int64_t kStateWidth = 6;

// An encoder of one layer and a decoder of two: the second begins as the first does.
struct RecurrentNetworks {
  explicit RecurrentNetworks(const std::string& attention, const std::string& cell = "gru",
                             bool feeding = true, int64_t layers = 2)
      : encoder({.d_model = kStateWidth, .cell = cell}),
        decoder({.d_model = kStateWidth,
                 .d_memory = 2 * kStateWidth,
                 .num_layers = layers,
                 .cell = cell,
                 .attention = attention,
                 .input_feeding = feeding}) {
    encoder.to(at::kDouble);
    decoder.to(at::kDouble);
  }

  RecurrentEncoder encoder;
  RecurrentDecoder decoder;
};

struct RecurrentKind {
  const char* attention;
  const char* cell;
  bool feeding = true;
};
constexpr RecurrentKind kRecurrentKinds[] = {{"additive", "gru"},   {"additive", "lstm"},
                                             {"dot", "gru"},        {"dot", "lstm"},
                                             {"dot", "gru", false}, {"none", "lstm"}};

at::Tensor random_input(at::IntArrayRef shape) { return at::randn(shape, at::kDouble); }

at::Tensor linear_of(const Linear& linear, const at::Tensor& x) {
  return at::linear(x, linear.weight, linear.bias);
}

// One step of a GRU layer: (B, C) each.
at::Tensor gru_step(const Recurrent& layer, const at::Tensor& x, const at::Tensor& h) {
  const auto& w = layer.weights;
  return at::gru_cell(x, h, w[0], w[1], w[2], w[3]);
}

TEST(RecurrentDecoder, IsTheEquations) {
  const at::NoGradGuard no_grad;
  for (const char* attention : {"additive", "dot"}) {
    at::manual_seed(7);
    const RecurrentNetworks nets(attention, "gru", /*feeding=*/true, /*layers=*/1);
    const RecurrentDecoder& decoder = nets.decoder;
    const CrossAttention& cross = *decoder.cross_attention;
    const bool additive = std::string(attention) == "additive";
    const Memory memory = nets.encoder.forward(random_input({2, 5, kStateWidth}));
    const at::Tensor x = random_input({2, 4, kStateWidth});

    const auto projected = linear_of(*cross.key_value, memory.states).chunk(2, -1);
    const auto look = [&](const at::Tensor& state) {
      const at::Tensor query = linear_of(*cross.query, state).unsqueeze(1);  // (B, 1, C)
      const at::Tensor scores =
          additive ? (cross.score_parameter * (query + projected[0]).tanh()).sum(-1)
                   : (query * projected[0]).sum(-1);
      const at::Tensor context = (scores.softmax(-1).unsqueeze(-1) * projected[1]).sum(1);
      return linear_of(*cross.output, context);
    };
    const at::Tensor ends = memory.last[0].hidden.transpose(0, 1).flatten(1);
    at::Tensor state = linear_of(*decoder.starts[0], ends).tanh();
    at::Tensor output = at::zeros({2, kStateWidth}, at::kDouble);
    std::vector<at::Tensor> outputs;
    for (int64_t i = 0; i < 4; ++i) {
      const at::Tensor token = x.select(1, i);
      if (additive) {
        const at::Tensor context = look(state);
        state = gru_step(*decoder.layers[0], at::cat({token, context}, -1), state);
        const at::Tensor pairs = linear_of(*decoder.readout, at::cat({state, context, token}, -1));
        output = at::maximum(pairs.slice(1, 0, 2 * kStateWidth, 2),
                             pairs.slice(1, 1, 2 * kStateWidth, 2));
      } else {
        state = gru_step(*decoder.layers[0], at::cat({token, output}, -1), state);
        output = linear_of(*decoder.readout, at::cat({look(state), state}, -1)).tanh();
      }
      outputs.push_back(output);
    }
    EXPECT_LT(distance(decoder.forward(x, {.memory = &memory}), at::stack(outputs, 1)), 1e-12)
        << attention;
  }
}

TEST(RecurrentDecoder, ByTokenItGivesWhatAllAtOnceGives) {
  const at::NoGradGuard no_grad;
  for (const RecurrentKind& kind : kRecurrentKinds) {
    at::manual_seed(7);
    const RecurrentNetworks nets(kind.attention, kind.cell, kind.feeding);
    const at::Tensor lengths = at::tensor({2, 5, 4}, at::kLong);
    const Memory memory = nets.encoder.forward(random_input({3, 5, kStateWidth}), lengths);
    const at::Tensor x = random_input({3, 6, kStateWidth});
    const at::Tensor whole = nets.decoder.forward(x, {.memory = &memory});
    EXPECT_EQ(whole.sizes(), at::IntArrayRef({3, 6, kStateWidth}));
    DecoderCache cache;
    std::vector<at::Tensor> pieces = {
        nets.decoder.forward(x.slice(1, 0, 2), {.memory = &memory, .cache = &cache})};
    for (int64_t i = 2; i < 6; ++i) {
      pieces.push_back(
          nets.decoder.forward(x.slice(1, i, i + 1), {.memory = &memory, .cache = &cache}));
    }
    EXPECT_LT(distance(at::cat(pieces, 1), whole), 1e-12) << kind.attention << kind.cell;
    EXPECT_EQ(cache.length, 6);
  }
}

// Rows of different lengths in the cache: each goes on behind its own end.
TEST(RecurrentDecoder, RowsMayEndApart) {
  const at::NoGradGuard no_grad;
  for (const RecurrentKind& kind : kRecurrentKinds) {
    at::manual_seed(7);
    const RecurrentNetworks nets(kind.attention, kind.cell, kind.feeding);
    const Memory memory = nets.encoder.forward(random_input({2, 5, kStateWidth}));
    const at::Tensor x = random_input({2, 4, kStateWidth});
    const at::Tensor next = random_input({2, 1, kStateWidth});
    DecoderCache cache;
    nets.decoder.forward(
        x, {.lengths = at::tensor({4, 2}, at::kLong), .memory = &memory, .cache = &cache});
    const at::Tensor behind = nets.decoder.forward(next, {.memory = &memory, .cache = &cache});
    const at::Tensor alone =
        nets.decoder.forward(at::cat({x.slice(1, 0, 2), next}, 1), {.memory = &memory});
    EXPECT_LT(distance(behind[1][0], alone[1][2]), 1e-12) << kind.attention << kind.cell;
  }
}

TEST(RecurrentDecoder, ATokenDoesNotSeeWhatFollows) {
  const at::NoGradGuard no_grad;
  for (const RecurrentKind& kind : kRecurrentKinds) {
    at::manual_seed(7);
    const RecurrentNetworks nets(kind.attention, kind.cell, kind.feeding);
    const Memory memory = nets.encoder.forward(random_input({1, 5, kStateWidth}));
    at::Tensor x = random_input({1, 6, kStateWidth});
    const at::Tensor before = nets.decoder.forward(x, {.memory = &memory});
    x = x.clone();
    x.slice(1, 4).fill_(3);
    const at::Tensor after = nets.decoder.forward(x, {.memory = &memory});
    EXPECT_TRUE(at::equal(before.slice(1, 0, 4), after.slice(1, 0, 4))) << kind.attention;
    EXPECT_GT(distance(before.slice(1, 4), after.slice(1, 4)), 1e-3) << kind.attention;
  }
}

TEST(RecurrentDecoder, GradientsAreThoseOfFiniteDifferences) {
  for (const RecurrentKind& kind : kRecurrentKinds) {
    at::manual_seed(7);
    RecurrentNetworks nets(kind.attention, kind.cell, kind.feeding);
    const at::Tensor lengths = at::tensor({4, 2}, at::kLong);
    const at::Tensor source = random_input({2, 4, kStateWidth});
    const at::Tensor x = random_input({2, 3, kStateWidth});
    const at::Tensor upstream = random_input({2, 3, kStateWidth});
    const auto loss = [&] {
      const Memory memory = nets.encoder.forward(source, lengths);
      return (nets.decoder.forward(x, {.memory = &memory}) * upstream).sum();
    };
    expect_gradients({&nets.encoder, &nets.decoder}, loss,
                     std::string(kind.attention) + ' ' + kind.cell);
  }
}

// The looks of the single steps come as those of one layer.
TEST(RecurrentDecoder, WhatItLooksAtIsOneAlignment) {
  const at::NoGradGuard no_grad;
  for (const RecurrentKind& kind : kRecurrentKinds) {
    at::manual_seed(7);
    const RecurrentNetworks nets(kind.attention, kind.cell, kind.feeding);
    const Memory memory =
        nets.encoder.forward(random_input({2, 5, kStateWidth}), at::tensor({5, 3}, at::kLong));
    const at::Tensor x = random_input({2, 4, kStateWidth});
    AttentionTrace trace;
    AttentionRecorder recorder;
    const at::Tensor with = nets.decoder.forward(x, {.memory = &memory, .trace = &trace});
    if (std::string(kind.attention) == "none") {
      EXPECT_TRUE(trace.cross_weights.empty() && recorder.cross.empty());
      continue;
    }
    ASSERT_EQ(trace.cross_weights.size(), 1U) << kind.attention;
    ASSERT_EQ(recorder.cross.size(), 1U) << kind.attention;
    const at::Tensor weights = trace.cross_weights[0];
    ASSERT_EQ(weights.sizes(), at::IntArrayRef({2, 1, 4, 5}));
    EXPECT_LT(distance(weights.sum(-1), at::ones({2, 1, 4}, at::kDouble)), 1e-12);
    EXPECT_EQ(weights[1].slice(2, 3).abs().sum().item<double>(), 0);
    const AttendedTokens& tokens = recorder.cross[0].tokens;
    EXPECT_LT(
        distance(attention_weights(tokens.query, tokens.key, tokens.options, {}, tokens.result),
                 weights),
        1e-12)
        << kind.attention;
  }
}

TEST(RecurrentDecoder, WhatCannotBeIsRefused) {
  EXPECT_THROW(RecurrentNetworks("cosine"), UsageError);
  const RecurrentNetworks nets("dot");
  EXPECT_THROW(nets.decoder.forward(random_input({2, 3, kStateWidth}), {}), UsageError);
  const Memory other{.states = random_input({2, 3, 2 * kStateWidth})};
  EXPECT_THROW(nets.decoder.forward(random_input({2, 3, kStateWidth}), {.memory = &other}),
               UsageError);
  const Memory memory = nets.encoder.forward(random_input({2, 3, kStateWidth}));
  EXPECT_THROW(nets.decoder.forward(random_input({3, 3, kStateWidth}), {.memory = &memory}),
               UsageError);
}

}  // namespace
}  // namespace heed::nn
