#include "heed/nn/layers/feed_forward.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "heed/base/error.h"
#include "heed/nn/testing/test_tensors.h"

namespace heed::nn {
namespace {

TEST(FeedForward, IsTwoProductsWithANonLinearityBetween) {
  at::manual_seed(8);
  for (const Activation activation : {Activation::kRelu, Activation::kGelu}) {
    const FeedForward layer({.d_model = 12, .d_ff = 40, .kind = {activation}});
    const at::Tensor x = at::randn({2, 5, 12});
    const auto wide = [](const at::Tensor& t) { return t.to(at::kDouble); };
    at::Tensor hidden = wide(x).matmul(wide(layer.up->weight).t()) + wide(layer.up->bias);
    hidden = activation == Activation::kRelu ? at::relu(hidden) : at::gelu(hidden);
    const at::Tensor expected =
        hidden.matmul(wide(layer.down->weight).t()) + wide(layer.down->bias);
    EXPECT_LT(distance(layer.forward(x), expected), 2e-6);
  }
}

TEST(FeedForward, GatesOneHalfByTheOther) {
  at::manual_seed(8);
  for (const char* name : {"reglu", "geglu", "swiglu"}) {
    const FeedForwardKind kind = feed_forward_kind_from(name);
    const FeedForward layer({.d_model = 12, .d_ff = 40, .kind = kind, .bias = false});
    const at::Tensor x = at::randn({2, 5, 12}).requires_grad_();
    const auto wide = [](const at::Tensor& t) { return t.to(at::kDouble); };
    const auto parts = wide(layer.up->weight).chunk(2, 0);
    const at::Tensor gate = wide(x).matmul(parts[0].t());
    const at::Tensor open = std::string(name) == "reglu"   ? at::relu(gate)
                            : std::string(name) == "geglu" ? at::gelu(gate)
                                                           : gate * gate.sigmoid();
    const at::Tensor expected =
        (open * wide(x).matmul(parts[1].t())).matmul(wide(layer.down->weight).t());
    const at::Tensor output = layer.forward(x);
    EXPECT_LT(distance(output, expected), 2e-6) << name;
    const at::Tensor pull = at::randn(output.sizes());
    const std::vector<at::Tensor> inputs = {x, layer.up->weight};
    const auto fused = torch::autograd::grad({(output * pull).sum()}, inputs);
    const auto plain = torch::autograd::grad({(expected * pull).sum()}, inputs);
    EXPECT_LT(distance(fused[0], plain[0]), 1e-5) << name;
    EXPECT_LT(distance(fused[1], plain[1]), 1e-5) << name;
  }
}

TEST(FeedForward, IsChosenByName) {
  for (const char* name : {"relu", "gelu", "gelu_tanh", "silu", "reglu", "geglu", "swiglu"}) {
    EXPECT_EQ(name_of(feed_forward_kind_from(name)), name);
  }
  EXPECT_THROW(feed_forward_kind_from("swish"), UsageError);
}

TEST(FeedForward, DropsOnlyInTraining) {
  at::manual_seed(8);
  FeedForward layer({.d_model = 12, .d_ff = 40, .dropout = 0.5});
  const at::Tensor x = at::randn({2, 5, 12});
  layer.eval();
  const at::Tensor still = layer.forward(x);
  EXPECT_TRUE(at::equal(still, layer.forward(x)));
  layer.train();
  EXPECT_FALSE(at::equal(still, layer.forward(x)));
}

}  // namespace
}  // namespace heed::nn
