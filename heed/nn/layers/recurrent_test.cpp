#include "heed/nn/layers/recurrent.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "heed/base/error.h"
#include "heed/nn/testing/test_tensors.h"

namespace heed::nn {
namespace {

constexpr int64_t kReadSize = 5;
constexpr int64_t kStateSize = 4;

Recurrent recurrent_layer(const char* cell, bool bidirectional = false) {
  at::manual_seed(4);
  Recurrent layer({.input_size = kReadSize,
                   .hidden_size = kStateSize,
                   .cell = cell,
                   .bidirectional = bidirectional});
  layer.to(at::kDouble);
  return layer;
}

at::Tensor random_doubles(at::IntArrayRef shape) { return at::randn(shape, at::kDouble); }

// One direction over (N, input), written out: (N, S).
at::Tensor states_written_out(const std::vector<at::Tensor>& w, const std::string& cell,
                              const at::Tensor& x) {
  at::Tensor h = at::zeros({kStateSize}, at::kDouble);
  at::Tensor c = at::zeros({kStateSize}, at::kDouble);
  std::vector<at::Tensor> states;
  for (int64_t n = 0; n < x.size(0); ++n) {
    const auto in = (w[0].matmul(x[n]) + w[2]).chunk(cell == "gru" ? 3 : 4);
    const auto own = (w[1].matmul(h) + w[3]).chunk(cell == "gru" ? 3 : 4);
    if (cell == "gru") {
      const at::Tensor reset = (in[0] + own[0]).sigmoid();
      const at::Tensor update = (in[1] + own[1]).sigmoid();
      h = (1 - update) * (in[2] + reset * own[2]).tanh() + update * h;
    } else {
      c = (in[1] + own[1]).sigmoid() * c + (in[0] + own[0]).sigmoid() * (in[2] + own[2]).tanh();
      h = (in[3] + own[3]).sigmoid() * c.tanh();
    }
    states.push_back(h);
  }
  return at::stack(states);
}

TEST(Recurrent, IsTheEquations) {
  const at::NoGradGuard no_grad;
  for (const char* cell : {"gru", "lstm"}) {
    const Recurrent layer = recurrent_layer(cell, /*bidirectional=*/true);
    ASSERT_EQ(layer.weights.size(), 8U);
    const at::Tensor x = random_doubles({1, 6, kReadSize});
    const at::Tensor states = layer.forward(x);
    ASSERT_EQ(states.sizes(), at::IntArrayRef({1, 6, 2 * kStateSize}));
    const std::vector<at::Tensor> forwards(layer.weights.begin(), layer.weights.begin() + 4);
    const std::vector<at::Tensor> backwards(layer.weights.begin() + 4, layer.weights.end());
    EXPECT_LT(distance(states[0].slice(1, 0, kStateSize), states_written_out(forwards, cell, x[0])),
              1e-12);
    EXPECT_LT(distance(states[0].slice(1, kStateSize),
                       states_written_out(backwards, cell, x[0].flip(0)).flip(0)),
              1e-12);
  }
}

// Not even where it is no number.
TEST(Recurrent, PaddingChangesNothing) {
  const at::NoGradGuard no_grad;
  for (const char* cell : {"gru", "lstm"}) {
    const Recurrent layer = recurrent_layer(cell, /*bidirectional=*/true);
    const at::Tensor lengths = at::tensor({3, 6, 1}, at::kLong);
    at::Tensor x = random_doubles({3, 6, kReadSize});
    x[0].slice(0, 3).fill_(std::numeric_limits<double>::quiet_NaN());
    x[2].slice(0, 1).fill_(1e9);
    RecurrentState last;
    const at::Tensor states = layer.forward(x, lengths, &last);
    ASSERT_EQ(states.sizes(), at::IntArrayRef({3, 6, 2 * kStateSize}));
    for (int64_t b = 0; b < 3; ++b) {
      const int64_t n = lengths[b].item<int64_t>();
      RecurrentState single;
      const at::Tensor alone =
          layer.forward(x.slice(0, b, b + 1).slice(1, 0, n), at::Tensor(), &single);
      EXPECT_LT(distance(states[b].slice(0, 0, n), alone[0]), 1e-12) << cell << b;
      EXPECT_EQ(states[b].slice(0, n).abs().sum().item<double>(), 0) << cell << b;
      EXPECT_LT(distance(last.hidden.select(1, b), single.hidden.select(1, 0)), 1e-12);
      if (last.cell.defined()) {
        EXPECT_LT(distance(last.cell.select(1, b), single.cell.select(1, 0)), 1e-12);
      }
    }
  }
}

TEST(Recurrent, GoesOnFromItsState) {
  const at::NoGradGuard no_grad;
  for (const char* cell : {"gru", "lstm"}) {
    const Recurrent layer = recurrent_layer(cell);
    const at::Tensor x = random_doubles({2, 7, kReadSize});
    RecurrentState state;
    const at::Tensor first = layer.forward(x.slice(1, 0, 4), at::Tensor(), &state);
    const at::Tensor second = layer.forward(x.slice(1, 4), at::Tensor(), &state);
    EXPECT_LT(distance(at::cat({first, second}, 1), layer.forward(x)), 1e-12) << cell;

    // A row that has ended keeps its state.
    const RecurrentState before = state;
    const at::Tensor more = layer.forward(x.slice(1, 0, 1), at::tensor({0, 1}, at::kLong), &state);
    EXPECT_EQ(more[0].abs().sum().item<double>(), 0) << cell;
    EXPECT_TRUE(at::equal(state.hidden.select(1, 0), before.hidden.select(1, 0))) << cell;
    EXPECT_GT(distance(state.hidden.select(1, 1), before.hidden.select(1, 1)), 1e-3) << cell;
  }
}

TEST(Recurrent, NothingIsReadOfNothing) {
  const Recurrent layer = recurrent_layer("gru", /*bidirectional=*/true);
  EXPECT_EQ(layer.forward(random_doubles({0, 3, kReadSize})).sizes(),
            at::IntArrayRef({0, 3, 2 * kStateSize}));
  EXPECT_EQ(layer.forward(random_doubles({2, 0, kReadSize})).sizes(),
            at::IntArrayRef({2, 0, 2 * kStateSize}));
}

TEST(Recurrent, IsNamedAsTorchNamesIt) {
  const Recurrent layer = recurrent_layer("lstm", /*bidirectional=*/true);
  const auto parameters = layer.named_parameters();
  EXPECT_EQ(parameters["weight_ih_l0"].sizes(), at::IntArrayRef({4 * kStateSize, kReadSize}));
  EXPECT_EQ(parameters["bias_hh_l0_reverse"].sizes(), at::IntArrayRef({4 * kStateSize}));
}

TEST(Recurrent, WhatCannotBeIsRefused) {
  EXPECT_THROW(Recurrent({.input_size = 2, .hidden_size = 2, .cell = "tanh"}), UsageError);
  EXPECT_THROW(Recurrent({.input_size = 2, .hidden_size = 0}), UsageError);
  EXPECT_THROW(recurrent_layer("gru").forward(random_doubles({2, 3, kReadSize + 1})), UsageError);
  RecurrentState three{.hidden = random_doubles({1, 3, kStateSize})};
  EXPECT_THROW(
      recurrent_layer("gru").forward(random_doubles({2, 3, kReadSize}), at::Tensor(), &three),
      UsageError);
}

}  // namespace
}  // namespace heed::nn
