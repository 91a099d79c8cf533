// What the tests of heed::linear share: problems, torch's answer, and the errors of both.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "heed/kernels/vector/isa.h"
#include "heed/ops/dense/linear_engine.h"
#include "heed/ops/linear.h"

namespace heed::linear_test {
using kernels::Isa;
using Sizes = std::vector<int64_t>;

inline constexpr Activation kActivations[] = {Activation::kNone, Activation::kRelu,
                                              Activation::kGelu, Activation::kGeluTanh,
                                              Activation::kSilu};

inline void for_each_isa(const std::function<void()>& body) {
  const LinearEngineForTest own(LinearEngine::kOwn);
  for (int i = 0; i < kernels::kIsaCount; ++i) {
    const Isa isa = static_cast<Isa>(i);
    if (!kernels::is_available(isa)) continue;
    SCOPED_TRACE(name_of(isa));
    const kernels::IsaForTest forced(isa);
    body();
  }
}

// One product with everything that comes out of it.
struct Inputs {
  at::Tensor input, weight, bias, grad;
  Activation activation = Activation::kNone;

  Inputs to(at::ScalarType type) const {
    const auto cast = [&](const at::Tensor& t) { return t.defined() ? t.to(type) : t; };
    return {cast(input), cast(weight), cast(bias), cast(grad), activation};
  }
};

struct Outputs {
  at::Tensor output, grad_input, grad_weight, grad_bias;
};

using Linear = std::function<at::Tensor(const Inputs&)>;

inline at::Tensor by_heed(const Inputs& in) {
  return heed::linear(in.input, in.weight, in.bias, in.activation);
}
inline at::Tensor by_torch(const Inputs& in) {
  return activate(at::linear(in.input, in.weight, in.bias), in.activation);
}

inline Outputs run(const Linear& function, Inputs in) {
  const auto leaf = [](at::Tensor& t) {
    if (t.defined()) t = t.detach().requires_grad_();
  };
  leaf(in.input);
  leaf(in.weight);
  leaf(in.bias);
  Outputs out;
  out.output = function(in);
  out.output.backward(in.grad);
  out.grad_input = in.input.grad();
  out.grad_weight = in.weight.grad();
  if (in.bias.defined()) out.grad_bias = in.bias.grad();
  return out;
}

struct Shape {
  int64_t rows = 0;
  int64_t depth = 0;
  int64_t columns = 0;
};

inline Inputs random_inputs(const Shape& s, at::ScalarType type) {
  const auto options = at::TensorOptions().dtype(at::kFloat);
  return {
      at::randn({s.rows, s.depth}, options).to(type),
      (at::randn({s.columns, s.depth}, options) / std::sqrt(static_cast<double>(s.depth))).to(type),
      at::randn({s.columns}, options).to(type), at::randn({s.rows, s.columns}, options).to(type)};
}

// Errors against double precision of Heed and of torch, as root mean squares of each tensor, and
// these over many products: of one alone, torch's error can be 0 by luck.
class Errors {
 public:
  void add(const std::string& what, const at::Tensor& got, const at::Tensor& torchs,
           const at::Tensor& exact) {
    ASSERT_EQ(got.sizes(), exact.sizes()) << what;
    ASSERT_EQ(got.scalar_type(), torchs.scalar_type()) << what;
    const auto error = [&](const at::Tensor& t) {
      return (t.to(at::kDouble) - exact).pow(2).mean().item<double>();
    };
    heed_[what] += error(got);
    torch_[what] += error(torchs);
  }

  void add(const std::string& group, const Inputs& in) {
    const Outputs exact = run(by_torch, in.to(at::kDouble));
    add(group, run(by_heed, in), run(by_torch, in), exact);
  }
  void add(const std::string& group, const Outputs& got, const Outputs& torchs,
           const Outputs& exact) {
    add("output" + group, got.output, torchs.output, exact.output);
    add("grad_input" + group, got.grad_input, torchs.grad_input, exact.grad_input);
    add("grad_weight" + group, got.grad_weight, torchs.grad_weight, exact.grad_weight);
    if (exact.grad_bias.defined()) {
      add("grad_bias" + group, got.grad_bias, torchs.grad_bias, exact.grad_bias);
    }
  }

  // At most twice torch's.
  ~Errors() {
    for (const auto& [what, squares] : heed_) {
      EXPECT_LE(std::sqrt(squares), 2 * std::sqrt(torch_[what])) << what;
    }
  }

 private:
  std::map<std::string, double> heed_, torch_;
};

inline void expect_same_bits(const Outputs& a, const Outputs& b) {
  EXPECT_TRUE(at::equal(a.output, b.output));
  EXPECT_TRUE(at::equal(a.grad_input, b.grad_input));
  EXPECT_TRUE(at::equal(a.grad_weight, b.grad_weight));
  EXPECT_TRUE(at::equal(a.grad_bias, b.grad_bias));
}

}  // namespace heed::linear_test
