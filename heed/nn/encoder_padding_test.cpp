// What an encoder makes of texts of different lengths in one batch: what it makes of each of them
// alone, and without doing anything for the padding.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/function.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/nn/attention/attention_recorder.h"
#include "heed/nn/encoder.h"
#include "heed/nn/testing/test_tensors.h"
#include "heed/nn/transformer/recompute.h"
#include "heed/ops/threads.h"

namespace heed::nn {
namespace {

constexpr int64_t kChannels = 16;

at::Tensor mixed_lengths() { return at::tensor({1, 7, 7, 30}, at::kLong); }

LayerOptions plain() {
  return {.d_model = kChannels,
          .num_heads = 4,
          .d_ff = 32,
          .feed_forward = {Activation::kGelu},
          .norm_first = true};
}

struct Kind {
  std::string name;
  LayerOptions options;
};

std::vector<Kind> kinds() {
  std::vector<Kind> all;
  const auto add = [&](const char* name, const auto& change) {
    LayerOptions options = plain();
    change(options);
    all.push_back({name, options});
  };
  add("pre-norm", [](LayerOptions&) {});
  add("post-norm", [](LayerOptions& o) { o.norm_first = false; });
  add("window", [](LayerOptions& o) { o.attention.pattern = "window:2:3"; });
  add("window, global", [](LayerOptions& o) { o.attention.pattern = "window:2:2|global:1"; });
  add("windows in turn", [](LayerOptions& o) { o.details.patterns = {"full", "window:1:1"}; });
  add("rotary", [](LayerOptions& o) { o.attention.positions = "rotary"; });
  add("alibi", [](LayerOptions& o) { o.attention.positions = "alibi"; });
  add("relative", [](LayerOptions& o) {
    o.attention.positions = "relative";
    o.attention.max_relative_positions = 5;
  });
  add("buckets", [](LayerOptions& o) {
    o.attention.positions = "relative";
    o.attention.max_relative_positions = 16;
    o.details.attention.relative_buckets = 8;
  });
  add("shared keys, norms of heads", [](LayerOptions& o) {
    o.attention.num_key_value_heads = 2;
    o.details.attention.query_key_norm = true;
  });
  add("shared weights", [](LayerOptions& o) { o.details.layer_groups = 1; });
  add("gated", [](LayerOptions& o) { o.feed_forward = {Activation::kSilu, true}; });
  add("convolution", [](LayerOptions& o) { o.before_attention = "conv"; });
  add("recurrent", [](LayerOptions& o) { o.before_attention = "gru"; });
  return all;
}

// A batch whose padding holds what would be seen anywhere.
at::Tensor input(const at::Tensor& lengths, at::ScalarType type) {
  at::manual_seed(9);
  at::Tensor x =
      at::randn({lengths.size(0), lengths.max().item<int64_t>(), kChannels}, at::kDouble);
  for (int64_t b = 0; b < x.size(0); ++b) x[b].slice(0, lengths[b].item<int64_t>()).fill_(1e3);
  return x.to(type).requires_grad_();
}

at::Tensor real_tokens(const at::Tensor& rows, const at::Tensor& lengths) {
  const at::Tensor place = at::arange(rows.size(1)).unsqueeze(0);
  return rows.index({place < lengths.unsqueeze(1)});
}

using Tensors = std::vector<at::Tensor>;

// The states of the real tokens, and the gradients of a loss of them by x and by all that learns.
template <typename Forward>
Tensors results(Encoder& encoder, const at::Tensor& x, const at::Tensor& lengths,
                const Forward& forward) {
  encoder.zero_grad();
  if (x.grad().defined()) x.mutable_grad() = at::Tensor();
  const at::Tensor states = forward(x);
  at::manual_seed(10);
  const at::Tensor probe = at::randn(states.sizes(), at::kDouble).to(states.scalar_type());
  (states * probe).sum().backward();
  Tensors all = {states.detach(), real_tokens(x.grad(), lengths)};
  for (const at::Tensor& each : encoder.parameters()) all.push_back(each.grad().clone());
  return all;
}

Tensors together(Encoder& encoder, const at::Tensor& x, const at::Tensor& lengths) {
  return results(encoder, x, lengths, [&](const at::Tensor& rows) {
    return real_tokens(encoder.forward(rows, {}, nullptr, lengths), lengths);
  });
}

// The layers over the padding as well, which the pattern alone keeps out of the others.
Tensors with_padding(Encoder& encoder, const at::Tensor& x, const at::Tensor& lengths) {
  return results(encoder, x, lengths, [&](const at::Tensor& rows) {
    at::Tensor states = rows;
    const Pattern padded = Pattern::padded({.key = lengths, .query = lengths});
    for (const auto& layer : encoder.layers) {
      states = layer->forward(states, padded, nullptr, lengths);
    }
    return real_tokens(encoder.final_norm.forward(states), lengths);
  });
}

Tensors alone(Encoder& encoder, const at::Tensor& x, const at::Tensor& lengths) {
  return results(encoder, x, lengths, [&](const at::Tensor& rows) {
    Tensors texts;
    for (int64_t b = 0; b < rows.size(0); ++b) {
      const at::Tensor text = rows.slice(0, b, b + 1).slice(1, 0, lengths[b].item<int64_t>());
      texts.push_back(encoder.forward(text)[0]);
    }
    return at::cat(texts);
  });
}

double error(const at::Tensor& got, const at::Tensor& expected) {
  return (got.to(at::kDouble) - expected).square().mean().sqrt().item<double>();
}

TEST(EncoderPadding, EachTextIsWhatItIsAloneInDouble) {
  for (const Kind& kind : kinds()) {
    at::manual_seed(5);
    Encoder encoder(2, kind.options);
    encoder.to(at::kDouble);
    for (const at::Tensor& lengths : {mixed_lengths(), at::tensor({9, 9, 9}, at::kLong)}) {
      const at::Tensor x = input(lengths, at::kDouble);
      const Tensors expected = alone(encoder, x, lengths);
      const Tensors got = together(encoder, x, lengths);
      for (size_t i = 0; i < expected.size(); ++i) {
        EXPECT_LT(distance(got[i], expected[i]),
                  1e-11 * (1 + expected[i].abs().max().item<double>()))
            << kind.name << ' ' << lengths.size(0) << ' ' << i;
      }
    }
  }
}

// Not farther from double than twice the way over all the padding.
TEST(EncoderPadding, RoundsAsLittleInFloat) {
  for (const Kind& kind : kinds()) {
    at::manual_seed(5);
    Encoder encoder(2, kind.options);
    const at::Tensor lengths = mixed_lengths();
    const Tensors got = together(encoder, input(lengths, at::kFloat), lengths);
    const Tensors padded = with_padding(encoder, input(lengths, at::kFloat), lengths);
    encoder.to(at::kDouble);
    const at::Tensor x = input(lengths, at::kFloat).detach().to(at::kDouble).requires_grad_();
    const Tensors expected = alone(encoder, x, lengths);
    for (size_t i = 0; i < expected.size(); ++i) {
      const double least = 1e-7 * (1 + expected[i].abs().max().item<double>());
      EXPECT_LE(error(got[i], expected[i]), 2 * error(padded[i], expected[i]) + least)
          << kind.name << ' ' << i;
    }
  }
}

// The tokens that each linear layer's result has, from the graph of a result.
std::set<int64_t> tokens_of_products(const at::Tensor& result) {
  std::set<int64_t> tokens;
  std::set<torch::autograd::Node*> seen;
  std::vector<torch::autograd::Node*> next = {result.grad_fn().get()};
  while (!next.empty()) {
    torch::autograd::Node* node = next.back();
    next.pop_back();
    if (node == nullptr || !seen.insert(node).second) continue;
    if (node->name().find("Linear") != std::string::npos) {
      const auto shape = node->input_metadata(0).shape_as_dim_vector();
      tokens.insert((shape[0] * shape[1]).expect_int());
    }
    for (const auto& edge : node->next_edges()) next.push_back(edge.function.get());
  }
  return tokens;
}

TEST(EncoderPadding, NoLayerReadsIt) {
  Encoder encoder(2, plain());
  const auto tokens = [&](const at::Tensor& lengths) {
    const at::Tensor x = input(lengths, at::kFloat);
    return tokens_of_products(encoder.forward(x, {}, nullptr, lengths));
  };
  EXPECT_EQ(tokens(mixed_lengths()), std::set<int64_t>{1 + 7 + 7 + 30});
  EXPECT_EQ(tokens(at::tensor({9, 9, 9}, at::kLong)), std::set<int64_t>{3 * 9});
}

// A product over padding would make every gradient of its weight NaN.
TEST(EncoderPadding, NaNInItReachesNoGradient) {
  Encoder encoder(2, plain());
  const at::Tensor lengths = mixed_lengths();
  const Tensors expected = together(encoder, input(lengths, at::kFloat), lengths);
  at::Tensor x = input(lengths, at::kFloat).detach();
  x.masked_fill_(x == 1e3, std::numeric_limits<float>::quiet_NaN());
  const Tensors got = together(encoder, x.requires_grad_(), lengths);
  for (size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(got[i].equal(expected[i])) << i;
}

TEST(EncoderPadding, TracesAndRecordsAreOfRows) {
  Encoder encoder(2, plain());
  const at::Tensor lengths = mixed_lengths();
  const at::Tensor x = input(lengths, at::kFloat);
  AttentionTrace trace;
  const AttentionRecorder recorder;
  encoder.forward(x, {}, &trace, lengths);
  ASSERT_EQ(trace.weights.size(), 2U);
  EXPECT_EQ(trace.weights[0].sizes(), at::IntArrayRef({4, 4, 30, 30}));
  const at::Tensor sums = trace.weights[1].sum(-1).mean(1);  // (B, N)
  const at::Tensor is_real = at::arange(30).unsqueeze(0) < lengths.unsqueeze(1);
  EXPECT_LT(distance(sums, is_real.to(at::kFloat)), 1e-6);
  ASSERT_EQ(recorder.self.size(), 2U);
  EXPECT_EQ(recorder.self[0].value.sizes(), at::IntArrayRef({4, 4, 30, 4}));
}

TEST(EncoderPadding, ComesAgainWhereActivationsAreNotKept) {
  LayerOptions options = plain();
  options.attention.positions = "rotary";
  options.dropout = 0.2;
  options.attention_dropout = 0.1;
  Encoder encoder(2, options);
  const at::Tensor lengths = mixed_lengths();
  const auto run = [&](bool again) {
    const GradientCheckpointing scope(again);
    const at::Tensor x = input(lengths, at::kFloat);
    at::manual_seed(3);
    return together(encoder, x, lengths);
  };
  const Tensors kept = run(false);
  const Tensors again = run(true);
  for (size_t i = 0; i < kept.size(); ++i) EXPECT_TRUE(kept[i].equal(again[i])) << i;
}

TEST(EncoderPadding, TheSameBitsOnAnyNumberOfThreads) {
  LayerOptions options = plain();
  options.attention.positions = "rotary";
  options.dropout = 0.2;
  options.d_model = 64;
  options.d_ff = 256;
  Encoder encoder(2, options);
  const at::Tensor lengths = at::tensor({1, 70, 30, 100, 7, 12, 64, 9}, at::kLong);
  at::manual_seed(9);
  const at::Tensor x = at::randn({8, 100, 64}).requires_grad_();
  const auto run = [&](int threads) {
    set_threads(threads);
    at::manual_seed(3);
    const Tensors got = together(encoder, x, lengths);
    set_threads(0);
    return got;
  };
  const Tensors expected = run(1);
  for (const int threads : {2, 3, 7}) {
    const Tensors got = run(threads);
    for (size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(got[i].equal(expected[i])) << threads << i;
  }
}

TEST(EncoderPadding, LengthsThatCannotBeAreRefused) {
  const Encoder encoder(1, plain());
  const at::Tensor x = at::zeros({2, 5, kChannels});
  for (const auto& wrong : {std::vector<int64_t>{5, 6}, {5, -1}, {5}}) {
    EXPECT_THROW(encoder.forward(x, {}, nullptr, at::tensor(wrong, at::kLong)), UsageError);
  }
}

}  // namespace
}  // namespace heed::nn
