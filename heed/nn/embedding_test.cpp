#include "heed/nn/embedding.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace heed::nn
