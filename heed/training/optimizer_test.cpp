#include "heed/training/optimizer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "heed/base/error.h"
#include "heed/ops/linear.h"

namespace heed::training {
namespace {

// One parameter, written out with the formulas of the papers in double.
struct ByHand {
  double value = 1.5;
  double first = 0;
  double second = 0;
  int steps = 0;

  void step(const OptimizerOptions& o, double gradient, double rate) {
    const double decay = weight_decay_of(o);
    ++steps;
    if (o.name == "sgd") {
      first = o.momentum * first + gradient + decay * value;
      value -= rate * first;
      return;
    }
    if (o.name == "adamw") {
      value -= rate * decay * value;
    } else {
      gradient += decay * value;
    }
    first = o.beta1 * first + (1 - o.beta1) * gradient;
    second = o.beta2 * second + (1 - o.beta2) * gradient * gradient;
    const double mean = first / (1 - std::pow(o.beta1, steps));
    const double square = second / (1 - std::pow(o.beta2, steps));
    value -= rate * mean / (std::sqrt(square) + o.epsilon);
  }
};

TEST(Optimizer, EachRuleIsThatOfItsPaper) {
  for (const char* name : {"adam", "adamw", "sgd"}) {
    at::Tensor parameter = at::tensor({1.5F}).requires_grad_();
    OptimizerOptions options{.name = name, .weight_decay = 0.1};
    Optimizer optimizer({parameter}, options);
    ByHand expected;
    for (int step = 0; step < 20; ++step) {
      const double gradient = std::sin(step + 1.0);
      optimizer.zero_gradients();
      (parameter * gradient).sum().backward();
      optimizer.step(0.05);
      expected.step(options, gradient, 0.05);
      EXPECT_NEAR(parameter.item<double>(), expected.value, 2e-6) << name << " step " << step;
    }
  }
}

// Kingma & Ba's Adam has no decay, and a default of AdamW's must not give it one.
TEST(Optimizer, OnlyAdamwDecaysUnasked) {
  for (const char* name : {"adam", "adamw", "sgd"}) {
    at::Tensor parameter = at::tensor({1.5F}).requires_grad_();
    Optimizer optimizer({parameter}, {.name = name});
    (parameter * 0).sum().backward();
    optimizer.step(0.05);
    const double expected = std::string(name) == "adamw" ? 1.5 * (1 - 0.05 * 0.01) : 1.5;
    EXPECT_NEAR(parameter.item<double>(), expected, 1e-7) << name;
  }
}

// Whole tensors by torch's own kernel, and Heed's update, which cuts large ones into pieces.
TEST(Optimizer, PiecesAndThreadsChangeNoBit) {
  const auto sizes = {std::vector<int64_t>{3}, {1000, 301}, {7, 5}, {131072}, {2, 65537}};
  const auto random = [&](unsigned seed) {
    at::manual_seed(seed);
    std::vector<at::Tensor> tensors;
    for (const auto& size : sizes) tensors.push_back(at::randn(size));
    return tensors;
  };
  auto expected = random(1);
  auto first = random(2);
  auto second = random(2);
  std::vector<at::Tensor> steps;
  for (size_t i = 0; i < expected.size(); ++i) {
    first[i].zero_();
    second[i].zero_();
    steps.push_back(at::full({}, 1.0F));
  }
  at::_fused_adamw_(expected, random(3), first, second, {}, steps, 0.01, 0.9, 0.999, 0.01, 1e-8,
                    false, false);
  const int before = at::get_num_threads();
  for (const int threads : {1, 2, 5}) {
    at::set_num_threads(threads);
    auto parameters = random(1);
    const auto gradients = random(3);
    for (size_t i = 0; i < parameters.size(); ++i) parameters[i].mutable_grad() = gradients[i];
    Optimizer optimizer(parameters, {});
    optimizer.step(0.01);
    for (size_t i = 0; i < parameters.size(); ++i) {
      EXPECT_TRUE(at::equal(parameters[i], expected[i])) << threads << " threads, tensor " << i;
    }
  }
  at::set_num_threads(before);
}

TEST(Optimizer, SgdNeedsNoMomentum) {
  at::Tensor parameter = at::tensor({1.5F}).requires_grad_();
  Optimizer optimizer({parameter}, {.name = "sgd", .weight_decay = 0, .momentum = 0});
  for (int step = 0; step < 3; ++step) {
    optimizer.zero_gradients();
    (parameter * 2).sum().backward();
    optimizer.step(0.25);
  }
  EXPECT_EQ(parameter.item<double>(), 0);
}

TEST(Optimizer, ClipsTheJointNorm) {
  at::Tensor a = at::zeros({3}).requires_grad_();
  at::Tensor b = at::zeros({1}).requires_grad_();
  Optimizer optimizer({a, b}, {});
  (a.sum() * 2 + b.sum() * 2).backward();
  EXPECT_NEAR(optimizer.clip_gradients(1), 4, 1e-6);
  EXPECT_NEAR(a.grad()[0].item<double>(), 0.5, 1e-6);
  EXPECT_NEAR(optimizer.clip_gradients(0), 1, 1e-6);
}

TEST(Optimizer, PenaltiesAreThoseOfTheFormula) {
  const at::Tensor values = at::tensor({-2.0F, 0.0F, 3.0F});
  at::Tensor by_hand = values.clone().requires_grad_();
  (by_hand.sum() + 0.25 * by_hand.abs().sum() + 0.5 * by_hand.pow(2).sum()).backward();
  at::Tensor parameter = values.clone().requires_grad_();
  at::Tensor unused = at::ones({1}).requires_grad_();
  Optimizer optimizer({parameter, unused}, {.l1 = 0.25, .l2 = 0.5});
  parameter.sum().backward();
  optimizer.add_penalties();
  EXPECT_TRUE(at::equal(parameter.grad(), by_hand.grad())) << parameter.grad();
  EXPECT_FALSE(unused.grad().defined());
}

TEST(Optimizer, GradientsThatAreNotFiniteAreNotClipped) {
  at::Tensor a = at::zeros({2}).requires_grad_();
  Optimizer optimizer({a}, {});
  a.mutable_grad() = at::tensor({1.0F, INFINITY});
  EXPECT_FALSE(std::isfinite(optimizer.clip_gradients(1)));
  EXPECT_EQ(a.grad()[0].item<float>(), 1);
}

TEST(Optimizer, LeavesAParameterWithoutGradientAlone) {
  at::Tensor used = at::ones({1}).requires_grad_();
  at::Tensor unused = at::ones({1}).requires_grad_();
  Optimizer optimizer({used, unused}, {});
  used.sum().backward();
  optimizer.step(0.1);
  EXPECT_NE(used.item<double>(), 1);
  EXPECT_EQ(unused.item<double>(), 1);
}

// A packed copy that was made between two updates must not outlive the second: that of an embedding
// that only validation multiplies with, in one piece and in several.
TEST(Optimizer, ProductsSeeWhatItChanged) {
  const c10::AutoGradMode no_gradients(false);
  for (const char* name : {"adam", "adamw", "sgd"}) {
    for (const int64_t rows : {200, 3000}) {
      at::manual_seed(1);
      at::Tensor weight = at::randn({rows, 64});
      const at::Tensor x = at::randn({32, 64});
      Optimizer optimizer({weight}, {.name = name});
      for (int update = 0; update < 2; ++update) {
        weight.mutable_grad() = at::randn_like(weight);
        optimizer.step(0.1);
        EXPECT_TRUE(at::allclose(heed::linear(x, weight), x.matmul(weight.t()), 1e-4, 1e-4))
            << name << ' ' << rows << ' ' << update;
      }
    }
  }
}

TEST(Optimizer, RefusesWhatCannotBe) {
  EXPECT_THROW(Optimizer({}, {.name = "magic"}), UsageError);
  EXPECT_THROW(Optimizer({}, {.beta1 = 1}), UsageError);
  EXPECT_THROW(Optimizer({}, {.epsilon = 0}), UsageError);
  EXPECT_THROW(Optimizer({}, {.weight_decay = -1}), UsageError);
  EXPECT_THROW(Optimizer({}, {.l1 = -1}), UsageError);
  EXPECT_THROW(Optimizer({}, {.l2 = -1}), UsageError);
}

}  // namespace
}  // namespace heed::training
