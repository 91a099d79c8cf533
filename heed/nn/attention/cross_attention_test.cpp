// CrossAttention, and what self-attention does with its settings: multi_head_attention.h.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/nn/attention/multi_head_attention.h"
#include "heed/nn/testing/test_tensors.h"

namespace heed::nn {
namespace {

at::Tensor project_by(const Linear& linear, const at::Tensor& values) {
  return values.matmul(linear.weight.t()) + linear.bias;
}

// (B, N, H · D) -> (B, H, N, D)
at::Tensor heads_of(const at::Tensor& joined, int64_t heads) {
  return joined.view({joined.size(0), joined.size(1), heads, -1}).transpose(1, 2);
}

TEST(CrossAttention, IsTheFormulaOfThePaper) {
  at::manual_seed(3);
  CrossAttention layer({.d_model = 24, .num_heads = 3, .d_memory = 10});
  layer.to(at::kDouble);
  const at::Tensor input = at::randn({2, 5, 24}, at::kDouble);
  const at::Tensor memory = at::randn({2, 9, 10}, at::kDouble);
  const at::Tensor query = heads_of(project_by(*layer.query, input), 3);
  const auto halves = project_by(*layer.key_value, memory).chunk(2, -1);
  const at::Tensor scores = query.matmul(heads_of(halves[0], 3).transpose(2, 3)) / std::sqrt(8.0);
  const at::Tensor mixed = scores.softmax(-1).matmul(heads_of(halves[1], 3));
  const at::Tensor expected = project_by(*layer.output, mixed.transpose(1, 2).flatten(2));
  const ProjectedMemory projected = layer.project(memory);
  EXPECT_LT(distance(layer.forward(input, projected, Pattern::full()), expected), 1e-13);

  // In float32 by the kernels: at most some units in the last place of sums of size 1.
  layer.to(at::kFloat);
  const at::Tensor narrow =
      layer.forward(input.to(at::kFloat), layer.project(memory.to(at::kFloat)), Pattern::full());
  EXPECT_LT(distance(narrow, expected), 2e-6);
}

TEST(CrossAttention, RowsMayShareAMemory) {
  at::manual_seed(3);
  const CrossAttention layer({.d_model = 16, .num_heads = 2});
  const at::Tensor input = at::randn({6, 4, 16});
  const at::Tensor memory = at::randn({2, 9, 16});
  const at::Tensor lengths = at::tensor({9, 5}, at::kLong);
  AttentionTrace trace;
  const at::Tensor together =
      layer.forward(input, layer.project(memory), Pattern::padded({.key = lengths}), &trace);
  const at::Tensor repeated =
      layer.forward(input, layer.project(memory.repeat_interleave(3, 0)),
                    Pattern::padded({.key = lengths.repeat_interleave(3, 0)}));
  EXPECT_LT(distance(together, repeated), 1e-6);
  EXPECT_THROW(layer.forward(input.slice(0, 0, 5), layer.project(memory), Pattern::full()),
               UsageError);
}

TEST(GroupedHeads, AreThoseOfRepeatedHeads) {
  at::manual_seed(3);
  const MultiHeadAttention grouped(
      {.d_model = 32,
       .num_heads = 4,
       .attention = {.positions = "rotary", .num_key_value_heads = 2}});
  const MultiHeadAttention plain(
      {.d_model = 32, .num_heads = 4, .attention = {.positions = "rotary"}});
  const c10::AutoGradMode no_gradients(false);
  // Each key head twice: rows of the joint projection, in heads of 8.
  const auto repeat = [](const at::Tensor& rows) {
    const auto parts = rows.split({32, 16, 16}, 0);
    const auto twice = [](const at::Tensor& heads) {
      at::Tensor split = heads.unflatten(0, {2, 8});
      return split.repeat_interleave(2, 0).flatten(0, 1);
    };
    return at::cat({parts[0], twice(parts[1]), twice(parts[2])}, 0);
  };
  plain.query_key_value->weight.copy_(repeat(grouped.query_key_value->weight));
  plain.query_key_value->bias.copy_(repeat(grouped.query_key_value->bias.normal_()));
  plain.output->weight.copy_(grouped.output->weight);
  const at::Tensor input = at::randn({2, 19, 32});
  EXPECT_LT(
      distance(grouped.forward(input, Pattern::causal()), plain.forward(input, Pattern::causal())),
      1e-6);
}

// Score, softcap and slopes written out, in double.
TEST(MultiHeadAttentionSettings, AreTheFormulaOfAttention) {
  at::manual_seed(3);
  MultiHeadAttention layer(
      {.d_model = 8,
       .num_heads = 2,
       .attention = {.score = "cosine", .positions = "alibi", .softcap = 1.5}});
  layer.to(at::kDouble);
  const at::Tensor input = at::randn({2, 6, 8}, at::kDouble);
  const auto parts = project_by(*layer.query_key_value, input).chunk(3, -1);
  const auto unit = [](const at::Tensor& heads) { return heads / heads.norm(2, {-1}, true); };
  const at::Tensor query = unit(heads_of(parts[0], 2));
  const at::Tensor key = unit(heads_of(parts[1], 2));
  at::Tensor scores = 10 * query.matmul(key.transpose(2, 3));
  scores = 1.5 * (scores / 1.5).tanh();
  const at::Tensor position = at::arange(6, at::kDouble);
  const at::Tensor distances = (position.unsqueeze(1) - position).abs();
  scores = scores - at::tensor({1.0 / 16, 1.0 / 256}, at::kDouble).view({2, 1, 1}) * distances;
  const at::Tensor mixed = scores.softmax(-1).matmul(heads_of(parts[2], 2));
  const at::Tensor expected = project_by(*layer.output, mixed.transpose(1, 2).flatten(2));
  EXPECT_LT(distance(layer.forward(input, Pattern::full()), expected), 1e-13);
}

// What each kind of score and position learns, and the input, by finite differences in double.
TEST(MultiHeadAttentionGradients, AreThoseOfFiniteDifferences) {
  const std::vector<AttentionSettings> all = {
      {.score = "additive", .positions = "relative", .max_relative_positions = 2},
      {.score = "cosine", .positions = "alibi", .softcap = 4},
      {.score = "dot", .pattern = "full", .positions = "rotary", .num_key_value_heads = 1},
  };
  for (const AttentionSettings& settings : all) {
    at::manual_seed(3);
    MultiHeadAttention layer({.d_model = 8, .num_heads = 2, .attention = settings});
    layer.to(at::kDouble);
    const at::Tensor input = at::randn({1, 5, 8}, at::kDouble).requires_grad_();
    const at::Tensor weights = at::randn({1, 5, 8}, at::kDouble);
    const auto loss = [&] { return (layer.forward(input, Pattern::causal()) * weights).sum(); };
    loss().backward();
    auto tensors = layer.named_parameters();
    tensors.insert("input", input);
    const c10::AutoGradMode no_gradients(false);
    for (const auto& item : tensors) {
      auto* values = item.value().mutable_data_ptr<double>();
      const at::Tensor grad = item.value().grad().contiguous();
      for (int64_t i = 0; i < grad.numel(); ++i) {
        const double kept = values[i];
        values[i] = kept + 1e-5;
        const double more = loss().item<double>();
        values[i] = kept - 1e-5;
        const double less = loss().item<double>();
        values[i] = kept;
        ASSERT_NEAR(grad.const_data_ptr<double>()[i], (more - less) / 2e-5, 1e-7)
            << settings.score << ' ' << item.key() << ' ' << i;
      }
    }
  }
}

TEST(MultiHeadAttentionSettings, LearnWhatTheyShould) {
  const auto names = [](const AttentionSettings& settings) {
    std::string all;
    for (const auto& item :
         MultiHeadAttention({.d_model = 8, .num_heads = 2, .attention = settings})
             .named_parameters()) {
      if (item.key().find('.') == std::string::npos) {
        all += text_of(item.key(), ' ', item.value().sizes());
      }
    }
    return all;
  };
  EXPECT_EQ(names({}), "");
  EXPECT_EQ(names({.score = "cosine"}), "score_parameter [2]");
  EXPECT_EQ(names({.score = "additive", .positions = "relative", .max_relative_positions = 7}),
            "score_parameter [2, 4]relative_table [2, 15]");
  EXPECT_EQ(names({.positions = "alibi"}), "");
  EXPECT_THROW(names({.score = "subtractive"}), UsageError);
}

}  // namespace
}  // namespace heed::nn
