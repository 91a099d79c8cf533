#include "heed/nn/feed_forward.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/nn/test_tensors.h"

namespace heed::nn {
namespace {

TEST(FeedForward, IsTwoProductsWithANonLinearityBetween) {
  at::manual_seed(8);
  for (const Activation activation : {Activation::kRelu, Activation::kGelu}) {
    const FeedForward layer({.width = 12, .hidden = 40, .kind = {activation}});
    const at::Tensor x = at::randn({2, 5, 12});
    const auto wide = [](const at::Tensor& t) { return t.to(at::kDouble); };
    at::Tensor hidden = wide(x).matmul(wide(layer.up->weight).t()) + wide(layer.up->bias);
    hidden = activation == Activation::kRelu ? at::relu(hidden) : at::gelu(hidden);
    const at::Tensor expected =
        hidden.matmul(wide(layer.down->weight).t()) + wide(layer.down->bias);
    EXPECT_LT(distance(layer.forward(x), expected), 2e-6);
  }
}

TEST(FeedForward, DropsOnlyInTraining) {
  at::manual_seed(8);
  FeedForward layer({.width = 12, .hidden = 40, .dropout = 0.5});
  const at::Tensor x = at::randn({2, 5, 12});
  layer.eval();
  const at::Tensor still = layer.forward(x);
  EXPECT_TRUE(at::equal(still, layer.forward(x)));
  layer.train();
  EXPECT_FALSE(at::equal(still, layer.forward(x)));
}

}  // namespace
}  // namespace heed::nn
