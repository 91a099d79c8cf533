#include "heed/cli/doctor/layer_sizes.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/linear.h>

#include <cmath>

namespace heed::cli {
namespace {

// Two layers with an activation between them.
struct Network : torch::nn::Module {
  Network() {
    first = register_module("first", torch::nn::Linear(4, 8));
    second = register_module("second", torch::nn::Linear(8, 2));
  }
  at::Tensor forward(const at::Tensor& x) { return second(first(x).relu()); }

  torch::nn::Linear first{nullptr}, second{nullptr};
};

class LayerSizes : public testing::Test {
 protected:
  void SetUp() override {
    at::manual_seed(1);
    input = at::randn({5, 4});
    network = std::make_shared<Network>();
  }
  std::vector<doctor::LayerSize> sizes() {
    return layer_sizes(*network, [&] { return network->forward(input).sum(); });
  }
  std::shared_ptr<Network> network;
  at::Tensor input;
};

double rms(const at::Tensor& tensor) {
  return std::sqrt(tensor.detach().square().mean().item<double>());
}

TEST_F(LayerSizes, AreThoseOfOutputsAndGradients) {
  const auto found = sizes();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "first");
  EXPECT_EQ(found[0].parameters, 40);
  const at::Tensor output = network->first(input);
  EXPECT_NEAR(found[0].output, rms(output), 1e-5);
  EXPECT_NEAR(found[0].largest, output.abs().max().item<double>(), 1e-5);
  EXPECT_NEAR(found[0].change, rms(output - output.mean(0)) / rms(output), 1e-5);
  // The slope of the sum by the bias of the second layer is the number of rows.
  const at::Tensor hidden = output.relu().detach();
  const double squares = hidden.sum(0).square().sum().item<double>() * 2 + 2 * 25;
  ASSERT_TRUE(found[1].gradient.has_value());
  EXPECT_NEAR(*found[1].gradient, std::sqrt(squares / 18), 1e-4);
  EXPECT_TRUE(found[1].multiplies);
}

TEST_F(LayerSizes, ALayerThatIsDeadChangesNothingAndLetsNoGradientThrough) {
  {
    const at::NoGradGuard no_grad;
    network->first->weight.zero_();
    network->first->bias.fill_(-1);
  }
  const auto found = sizes();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].change, 0);
  EXPECT_EQ(*found[0].gradient, 0);
  EXPECT_EQ(found[1].change, 0);
}

}  // namespace
}  // namespace heed::cli
