#include "heed/ops/linear.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/kernels/vector/isa.h"
#include "heed/ops/dense/linear_engine.h"
#include "heed/ops/testing/linear_test.h"

namespace heed {
namespace {

using namespace linear_test;

// ctest-timeout: 600
TEST(Linear, IsAsExactAsTorchAtEverySize) {
  at::manual_seed(1);
  constexpr int64_t kSizes[] = {1, 7, 17, 33, 65, 130};
  for_each_isa([&] {
    Errors errors;
    for (const int64_t rows : kSizes) {
      for (const int64_t depth : kSizes) {
        for (const int64_t columns : kSizes) {
          SCOPED_TRACE(text_of(rows, " x ", depth, " x ", columns));
          errors.add("", random_inputs({rows, depth, columns}, at::kFloat));
        }
      }
    }
  });
}

TEST(Linear, IsAsExactAsTorchWithOneRowOrColumn) {
  at::manual_seed(10);
  for_each_isa([&] {
    for (const Shape& s : {Shape{1, 130, 33}, Shape{130, 33, 1}, Shape{33, 1, 130}}) {
      Errors errors;
      for (int i = 0; i < 20; ++i) {
        errors.add(text_of(" ", s.rows, " x ", s.depth, " x ", s.columns),
                   random_inputs(s, at::kFloat));
      }
    }
  });
}

TEST(Linear, IsAsExactAsTorchInBfloat16) {
  at::manual_seed(2);
  for_each_isa([&] {
    Errors errors;
    for (const Shape& s : {Shape{1, 1, 1}, Shape{1, 33, 7}, Shape{3, 65, 130}, Shape{17, 7, 33},
                           Shape{130, 17, 1}, Shape{65, 130, 65}, Shape{33, 600, 17}}) {
      SCOPED_TRACE(text_of(s.rows, " x ", s.depth, " x ", s.columns));
      errors.add("", random_inputs(s, at::kBFloat16));
    }
  });
}

TEST(Linear, AppliesEveryActivation) {
  at::manual_seed(3);
  for_each_isa([&] {
    for (const auto type : {at::kFloat, at::kBFloat16}) {
      for (const Activation activation : kActivations) {
        Errors errors;
        for (const Shape& s : {Shape{1, 33, 65}, Shape{4, 7, 17}, Shape{130, 65, 33}}) {
          SCOPED_TRACE(text_of(name_of(activation), " ", type, " ", s.rows));
          Inputs in = random_inputs(s, type);
          in.input = in.input * 4;
          in.activation = activation;
          errors.add(text_of(" ", name_of(activation), " ", type), in);
          in.bias = at::Tensor();
          errors.add(text_of(" ", name_of(activation), " ", type), in);
        }
      }
    }
  });
}

TEST(Linear, TakesLargeDepthsInBlocks) {
  at::manual_seed(4);
  for_each_isa([&] {
    Errors errors;
    errors.add(" 1", random_inputs({40, 1100, 40}, at::kFloat));
    errors.add(" 2", random_inputs({1100, 40, 40}, at::kFloat));
    errors.add(" 3", random_inputs({40, 40, 1100}, at::kFloat));
    errors.add(" 4", random_inputs({40, 1101, 40}, at::kBFloat16));
  });
}

TEST(Linear, CarriesInfinityAndNaN) {
  for_each_isa([&] {
    for (const Activation activation : kActivations) {
      SCOPED_TRACE(name_of(activation));
      const float inf = INFINITY;
      const at::Tensor x = at::tensor({1.0F, -1.0F, inf, NAN, 100.0F, -100.0F}).view({6, 1});
      const at::Tensor w = at::ones({1, 1});
      const at::Tensor got = heed::linear(x, w, {}, activation);
      const at::Tensor want = activate(x, activation);
      EXPECT_TRUE(at::allclose(got, want, 1e-6, 1e-6, /*equal_nan=*/true)) << got << want;
    }
  });
}

TEST(Linear, TakesAnyLayout) {
  at::manual_seed(5);
  for_each_isa([&] {
    const Inputs base = random_inputs({30, 20, 25}, at::kFloat);
    Errors errors;
    const auto check = [&](const char* what, const at::Tensor& input, const at::Tensor& weight) {
      SCOPED_TRACE(what);
      Inputs in = base;
      in.input = input;
      in.weight = weight;
      Sizes sizes = input.sizes().vec();
      sizes.back() = weight.size(0);
      in.grad = at::randn(sizes);
      errors.add("", in);
    };
    const at::Tensor wide = at::randn({60, 50});
    check("every second row", wide.slice(0, 0, 60, 2).slice(1, 5, 25), base.weight);
    check("every second column", wide.slice(1, 0, 40, 2), base.weight);
    check("transposed", at::randn({20, 30}).t(), base.weight);
    check("expanded", at::randn({1, 20}).expand({30, 20}), base.weight);
    check("expanded in the middle", at::randn({3, 1, 20}).expand({3, 7, 20}), base.weight);
    check("1-D", at::randn({20}), base.weight);
    check("3-D", at::randn({3, 5, 20}), base.weight);
    check("4-D, permuted", at::randn({3, 2, 20, 5}).permute({0, 3, 1, 2}), base.weight);
    check("transposed weight", base.input, at::randn({20, 25}).t());
    check("strided weight", base.input, wide.slice(0, 0, 50, 2).slice(1, 3, 23));
    check("weight with neither side contiguous", base.input,
          wide.slice(0, 0, 50, 2).slice(1, 0, 40, 2));
    check("expanded weight", base.input, at::randn({1, 20}).expand({25, 20}));
    check("few rows, strided weight", at::randn({2, 20}), wide.slice(1, 0, 40, 2).slice(0, 0, 25));
    check("one column of weight", at::randn({9, 1}), at::randn({25, 3}).slice(1, 1, 2));
  });
}

TEST(Linear, TakesAnExpandedGradient) {
  for_each_isa([&] {
    const Inputs in = random_inputs({30, 20, 25}, at::kFloat);
    const at::Tensor x = in.input.detach().requires_grad_();
    heed::linear(x, in.weight, in.bias).sum().backward();
    EXPECT_TRUE(at::allclose(x.grad(), in.weight.sum(0).expand({30, 20}), 1e-5, 1e-5));
  });
}

TEST(Linear, ComputesOnlyTheGradientsAskedFor) {
  const LinearEngineForTest own(LinearEngine::kOwn);
  for (int wanted = 1; wanted < 8; ++wanted) {
    Inputs in = random_inputs({30, 20, 25}, at::kFloat);
    in.activation = Activation::kGelu;
    Outputs all = run(by_heed, in);
    in.input.requires_grad_((wanted & 1) != 0);
    in.weight.requires_grad_((wanted & 2) != 0);
    in.bias.requires_grad_((wanted & 4) != 0);
    by_heed(in).backward(in.grad);
    const auto check = [](const at::Tensor& t, const at::Tensor& want) {
      ASSERT_EQ(t.grad().defined(), t.requires_grad());
      if (!t.requires_grad()) return;
      EXPECT_TRUE(at::allclose(t.grad(), want, 1e-5, 1e-5));
    };
    check(in.input, all.grad_input);
    check(in.weight, all.grad_weight);
    check(in.bias, all.grad_bias);
  }
}

// Slopes of the loss Σ grad · output, in double, along one random direction of all inputs.
TEST(Linear, GradientsAreTheSlopes) {
  at::manual_seed(6);
  for_each_isa([&] {
    for (const Activation activation : kActivations) {
      SCOPED_TRACE(name_of(activation));
      Inputs in = random_inputs({19, 35, 21}, at::kFloat);
      in.activation = activation;
      const Outputs got = run(by_heed, in);
      const Inputs exact = in.to(at::kDouble);
      const Inputs step = random_inputs({19, 35, 21}, at::kFloat).to(at::kDouble);
      const double h = 1e-6;
      const auto loss = [&](double t) {
        Inputs moved = exact;
        moved.input = exact.input + t * step.input;
        moved.weight = exact.weight + t * step.weight;
        moved.bias = exact.bias + t * step.bias;
        return (by_torch(moved) * exact.grad).sum().item<double>();
      };
      const double slope = (loss(h) - loss(-h)) / (2 * h);
      const double got_slope =
          (got.grad_input.to(at::kDouble) * step.input).sum().item<double>() +
          (got.grad_weight.to(at::kDouble) * step.weight).sum().item<double>() +
          (got.grad_bias.to(at::kDouble) * step.bias).sum().item<double>();
      const double scale = got.grad_input.norm().item<double>() * step.input.norm().item<double>();
      EXPECT_NEAR(got_slope, slope, 1e-6 * scale);
    }
  });
}

TEST(Linear, CanBeDifferentiatedTwice) {
  at::manual_seed(7);
  const LinearEngineForTest own(LinearEngine::kOwn);
  for (const Activation activation : kActivations) {
    SCOPED_TRACE(name_of(activation));
    Inputs in = random_inputs({9, 5, 6}, at::kFloat);
    in.activation = activation;
    const auto second = [](const Linear& function, Inputs inputs) {
      inputs.input = inputs.input.detach().requires_grad_();
      inputs.weight = inputs.weight.detach().requires_grad_();
      const at::Tensor loss = (function(inputs) * inputs.grad).sum();
      const auto first = torch::autograd::grad({loss}, {inputs.input, inputs.weight}, {},
                                               std::nullopt, /*create_graph=*/true);
      (first[0].pow(2).sum() + first[1].pow(2).sum()).backward();
      return std::vector<at::Tensor>{inputs.input.grad(), inputs.weight.grad()};
    };
    const auto got = second(by_heed, in);
    const auto want = second(by_torch, in.to(at::kDouble));
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(at::allclose(got[i].to(at::kDouble), want[i], 1e-4, 1e-4));
    }
  }
}

TEST(Linear, GivesTheSameBitsOnAnyNumberOfThreads) {
  at::manual_seed(8);
  const int before = at::get_num_threads();
  for_each_isa([&] {
    for (const auto type : {at::kFloat, at::kBFloat16}) {
      for (const Shape& s : {Shape{2, 700, 900}, Shape{230, 300, 500}, Shape{700, 129, 65}}) {
        Inputs in = random_inputs(s, type);
        in.activation = Activation::kGelu;
        at::set_num_threads(1);
        const Outputs one = run(by_heed, in);
        for (const int threads : {2, 3, 4, 7}) {
          SCOPED_TRACE(threads);
          at::set_num_threads(threads);
          expect_same_bits(run(by_heed, in), one);
        }
      }
    }
  });
  at::set_num_threads(before);
}

TEST(Linear, ARowDoesNotDependOnTheOthers) {
  for_each_isa([&] {
    const Inputs in = random_inputs({100, 300, 70}, at::kFloat);
    const at::Tensor all = by_heed(in);
    Inputs part = in;
    part.input = in.input.slice(0, 40, 53);
    EXPECT_TRUE(at::equal(by_heed(part), all.slice(0, 40, 53)));
  });
}

class Autocast {
 public:
  explicit Autocast(at::ScalarType type) {
    at::autocast::set_autocast_enabled(at::kCPU, true);
    at::autocast::set_autocast_dtype(at::kCPU, type);
    c10::impl::tls_set_dispatch_key_included(c10::DispatchKey::AutocastCPU, true);
  }
  ~Autocast() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  }
};

TEST(Linear, MultipliesBfloat16UnderAutocast) {
  at::manual_seed(9);
  for_each_isa([&] {
    Errors errors;
    for (const Shape& s : {Shape{1, 33, 7}, Shape{65, 130, 33}, Shape{100, 65, 600}}) {
      for (const Activation activation : {Activation::kNone, Activation::kGelu}) {
        Inputs in = random_inputs(s, at::kFloat);
        in.activation = activation;
        const Outputs exact = run(by_torch, in.to(at::kDouble));
        const auto under_autocast = [](const Linear& function) {
          return [function](const Inputs& inputs) {
            const Autocast autocast(at::kBFloat16);
            return function(inputs);
          };
        };
        Inputs half_grad = in;
        half_grad.grad = in.grad.to(at::kBFloat16);
        const Outputs torchs = run(under_autocast(by_torch), half_grad);
        const Outputs got = run(under_autocast(by_heed), half_grad);
        ASSERT_EQ(got.output.scalar_type(), at::kBFloat16);
        errors.add("", got, torchs, exact);
      }
    }
  });
  const LinearEngineForTest own(LinearEngine::kOwn);
  const Autocast autocast(at::kHalf);
  const Inputs in = random_inputs({3, 4, 5}, at::kFloat);
  EXPECT_EQ(by_heed(in).scalar_type(), at::kHalf) << "float16 is torch's business";
}

TEST(Linear, LeavesTheRestToTorch) {
  const LinearEngineForTest own(LinearEngine::kOwn);
  for (const Activation activation : kActivations) {
    for (const auto type : {at::kDouble, at::kHalf}) {
      Inputs in = random_inputs({9, 5, 6}, type);
      in.activation = activation;
      EXPECT_TRUE(at::equal(by_heed(in), by_torch(in)));
    }
    const LinearEngineForTest torchs(LinearEngine::kTorch);
    Inputs in = random_inputs({9, 5, 6}, at::kFloat);
    in.activation = activation;
    EXPECT_TRUE(at::equal(by_heed(in), by_torch(in)));
  }
  Inputs mixed = random_inputs({9, 5, 6}, at::kFloat);
  mixed.weight = mixed.weight.to(at::kDouble);
  EXPECT_THROW(by_heed(mixed), c10::Error);
}

}  // namespace
}  // namespace heed
