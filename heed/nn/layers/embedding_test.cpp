#include "heed/nn/layers/embedding.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/nn/attention/multi_head_attention.h"
#include "heed/nn/attention/positions.h"

namespace heed::nn {
namespace {

TEST(Embedding, LooksRowsUp) {
  at::manual_seed(8);
  const Embedding embedding({.num_embeddings = 9, .embedding_dim = 4});
  const at::Tensor ids = at::tensor({3, 0, 8, 3}, at::kLong).view({2, 2});
  const at::Tensor output = embedding.forward(ids);
  EXPECT_EQ(output.sizes(), at::IntArrayRef({2, 2, 4}));
  EXPECT_TRUE(at::equal(output[1][0], embedding.weight[8]));
  EXPECT_TRUE(at::equal(output[0][0], output[1][1]));
}

TEST(Embedding, ThePaddingVectorIsZeroAndLearnsNothing) {
  const Embedding embedding(
      {.num_embeddings = 5, .embedding_dim = 3, .padding_idx = 2, .std = 0.5});
  EXPECT_EQ(embedding.weight[2].abs().sum().item<double>(), 0);
  embedding.forward(at::tensor({2, 1, 2}, at::kLong)).sum().backward();
  EXPECT_EQ(embedding.weight.grad()[2].abs().sum().item<double>(), 0);
  EXPECT_EQ(embedding.weight.grad()[1].sum().item<double>(), 3);
}

TEST(Embedding, StartsWithTheDeviation) {
  at::manual_seed(8);
  const Embedding embedding({.num_embeddings = 1000, .embedding_dim = 64, .std = 0.02});
  EXPECT_NEAR(embedding.weight.std().item<double>(), 0.02, 0.0005);
}

TEST(Embedding, WhateverTheScaleWhatComesOutHasADeviationOfOne) {
  for (const double scale : {0.1, 1.0, 8.0}) {
    at::manual_seed(8);
    const Embedding embedding({.num_embeddings = 1000, .embedding_dim = 64, .scale = scale});
    EXPECT_NEAR(embedding.weight.std().item<double>(), 1 / scale, 0.01 / scale);
    EXPECT_NEAR(embedding.forward(at::arange(1000)).std().item<double>(), 1, 0.01);
  }
  EXPECT_THROW(Embedding({.num_embeddings = 3, .embedding_dim = 4, .scale = 0}), UsageError);
}

// With √C and its own deviation each query sees many of 64 tokens; from N(0, 1) it would see one.
TEST(Embedding, TheFirstAttentionIsNotSaturated) {
  constexpr int64_t kWidth = 256;
  constexpr int64_t kTokens = 64;
  const auto entropy = [&](std::optional<double> std) {
    at::manual_seed(8);
    const Embedding embedding(
        {.num_embeddings = 1000, .embedding_dim = kWidth, .scale = std::sqrt(kWidth), .std = std});
    const SinusoidalPositions positions({.max_length = kTokens, .d_model = kWidth});
    const MultiHeadAttention attention({.d_model = kWidth, .num_heads = 4});
    AttentionTrace trace;
    const at::Tensor ids = at::randint(1000, {4, kTokens});
    attention.forward(positions.forward(embedding.forward(ids)), {}, &trace);
    const at::Tensor weights = trace.weights[0].to(at::kDouble);
    return -(weights * weights.clamp_min(1e-300).log()).sum(-1).mean().item<double>();
  };
  EXPECT_GT(entropy({}), 0.6 * std::log(kTokens));
  EXPECT_LT(entropy(1), 0.2 * std::log(kTokens));
}

}  // namespace
}  // namespace heed::nn
