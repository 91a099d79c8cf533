// Gradients against what changes when a parameter does.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/nn/module.h>

#include <cmath>
#include <initializer_list>
#include <string>

namespace heed::nn {

// Calls loss().backward() and holds the gradient of each parameter of these modules, in float64,
// along a random direction, to the central difference of the loss. `where`: what a failure names.
template <typename Loss>
void expect_gradients(std::initializer_list<torch::nn::Module*> modules, const Loss& loss,
                      const std::string& where) {
  loss().backward();
  for (torch::nn::Module* module : modules) {
    for (auto& item : module->named_parameters()) {
      at::Tensor& parameter = item.value();
      ASSERT_TRUE(parameter.grad().defined()) << where << ' ' << item.key();
      const at::NoGradGuard no_grad;
      const at::Tensor start = parameter.clone();
      const at::Tensor direction = at::randn_like(start);
      constexpr double kStep = 1e-5;
      parameter.copy_(start + kStep * direction);
      const double above = loss().template item<double>();
      parameter.copy_(start - kStep * direction);
      const double below = loss().template item<double>();
      parameter.copy_(start);
      const double slope = (parameter.grad() * direction).sum().item<double>();
      EXPECT_NEAR((above - below) / (2 * kStep), slope, 1e-6 * (1 + std::abs(slope)))
          << where << ' ' << item.key();
    }
  }
}

}  // namespace heed::nn
