// For tests: a fused function, and torch's of the same dtype, against torch's in double precision.
// Rule: the root mean square error over many trials is at most twice that of torch.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "heed/kernels/vector/isa.h"

namespace heed {

using Tensors = std::vector<at::Tensor>;
using TensorFunction = std::function<Tensors(const Tensors& inputs)>;

inline Tensors as_type(const Tensors& all, at::ScalarType type) {
  Tensors result;
  for (const at::Tensor& t : all) {
    result.push_back(t.is_floating_point() ? t.to(type) : t);
  }
  return result;
}

// The outputs, and the gradients of Σ outputs · grads with respect to the floating inputs.
inline Tensors with_gradients(const TensorFunction& function, const Tensors& inputs,
                              const Tensors& grads) {
  Tensors leaves, wanted;
  for (const at::Tensor& t : inputs) {
    leaves.push_back(t.is_floating_point() ? t.detach().clone().requires_grad_() : t);
    if (t.is_floating_point()) wanted.push_back(leaves.back());
  }
  Tensors all = function(leaves);
  const Tensors gradients = torch::autograd::grad(all, wanted, grads);
  all.insert(all.end(), gradients.begin(), gradients.end());
  return all;
}

class RuleOfTwo {
 public:
  RuleOfTwo(TensorFunction heeds, TensorFunction torchs)
      : heeds_(std::move(heeds)), torchs_(std::move(torchs)) {}
  RuleOfTwo(const RuleOfTwo&) = delete;
  RuleOfTwo& operator=(const RuleOfTwo&) = delete;

  // With inputs and gradients as they are after rounding to `type`.
  void add(const Tensors& inputs, const Tensors& grads, at::ScalarType type) {
    const Tensors in = as_type(inputs, type), out = as_type(grads, type);
    const Tensors got = with_gradients(heeds_, in, out);
    const Tensors torchs = with_gradients(torchs_, in, out);
    const Tensors exact =
        with_gradients(torchs_, as_type(in, at::kDouble), as_type(out, at::kDouble));
    ASSERT_EQ(got.size(), exact.size());
    for (size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(got[i].sizes(), exact[i].sizes()) << "tensor " << i;
      const auto squares = [&](const at::Tensor& t) {
        return (t.to(at::kDouble) - exact[i]).square().sum().item<double>();
      };
      heed_[i] += squares(got[i]);
      torch_[i] += squares(torchs[i]);
    }
  }

  ~RuleOfTwo() {
    for (const auto& [i, squares] : heed_) {
      EXPECT_LE(std::sqrt(squares), 2 * std::sqrt(torch_[i])) << "tensor " << i;
    }
  }

 private:
  TensorFunction heeds_, torchs_;
  std::map<size_t, double> heed_, torch_;
};

inline void for_each_available_isa(const std::function<void()>& body) {
  for (int i = 0; i < kernels::kIsaCount; ++i) {
    const auto isa = static_cast<kernels::Isa>(i);
    if (!kernels::is_available(isa)) continue;
    SCOPED_TRACE(name_of(isa));
    const kernels::IsaForTest forced(isa);
    body();
  }
}

// The same bits of outputs and gradients with 1, 2, 3 and 7 threads.
inline void expect_no_trace_of_threads(const TensorFunction& function, const Tensors& inputs,
                                       const Tensors& grads) {
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Tensors want = with_gradients(function, inputs, grads);
  for (const int threads : {2, 3, 7}) {
    at::set_num_threads(threads);
    const Tensors got = with_gradients(function, inputs, grads);
    for (size_t i = 0; i < want.size(); ++i) {
      EXPECT_TRUE(at::equal(got[i], want[i])) << threads << " threads, tensor " << i;
    }
  }
  at::set_num_threads(before);
}

// Second derivatives: of a scalar made of the gradients, Heed's against torch's in double.
inline void expect_second_derivatives(const TensorFunction& heeds, const TensorFunction& torchs,
                                      const Tensors& inputs) {
  const auto second = [](const TensorFunction& function, const Tensors& from) {
    Tensors leaves, wanted;
    for (const at::Tensor& t : from) {
      leaves.push_back(t.is_floating_point() ? t.detach().clone().requires_grad_() : t);
      if (t.is_floating_point()) wanted.push_back(leaves.back());
    }
    at::Tensor scalar = at::zeros({}, wanted[0].options());
    for (const at::Tensor& t : function(leaves)) scalar = scalar + t.sin().sum();
    const Tensors first = torch::autograd::grad({scalar}, wanted, {}, true, /*create_graph=*/true);
    scalar = at::zeros({}, wanted[0].options());
    for (const at::Tensor& t : first) scalar = scalar + t.square().sum();
    return torch::autograd::grad({scalar}, wanted, {}, {}, false, /*allow_unused=*/true);
  };
  const Tensors got = second(heeds, as_type(inputs, at::kFloat));
  const Tensors want = second(torchs, as_type(inputs, at::kDouble));
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_EQ(got[i].defined(), want[i].defined()) << i;
    if (!want[i].defined()) continue;
    const double size = want[i].abs().max().item<double>();
    EXPECT_LE((got[i].to(at::kDouble) - want[i]).abs().max().item<double>(), 1e-4 * size) << i;
  }
}

}  // namespace heed
