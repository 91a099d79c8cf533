// Derivatives of forward mode of every operator, against difference quotients in double precision;
// and tensors on different devices, which every operator refuses.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/forward_grad.h>

#include <functional>
#include <vector>

#include "heed/base/error.h"
#include "heed/ops/attention.h"
#include "heed/ops/cross_entropy.h"
#include "heed/ops/dropout.h"
#include "heed/ops/embedding.h"
#include "heed/ops/linear.h"
#include "heed/ops/norm.h"

namespace heed {
namespace {

using Tensors = std::vector<at::Tensor>;
using Function = std::function<at::Tensor(const Tensors& inputs)>;

class DualLevel {
 public:
  DualLevel() : level_(torch::autograd::ForwardADLevel::get_next_idx()) {}
  ~DualLevel() { torch::autograd::ForwardADLevel::release_idx(level_); }
  DualLevel(const DualLevel&) = delete;
  DualLevel& operator=(const DualLevel&) = delete;

  at::Tensor dual(const at::Tensor& primal, const at::Tensor& tangent) const {
    return at::_make_dual(primal, tangent, static_cast<int64_t>(level_));
  }
  at::Tensor tangent(const at::Tensor& dual) const {
    return std::get<1>(at::_unpack_dual(dual, static_cast<int64_t>(level_)));
  }

 private:
  uint64_t level_;
};

// Floating inputs move along random tangents, the others stay.
void expect_forward_mode(const char* name, const Function& function, const Tensors& inputs) {
  Tensors tangents, duals, above, below;
  constexpr double kStep = 1e-5;
  const DualLevel level;
  for (const at::Tensor& x : inputs) {
    if (!x.is_floating_point()) {
      for (Tensors* all : {&tangents, &duals, &above, &below}) all->push_back(x);
      continue;
    }
    const at::Tensor tangent = at::randn_like(x);
    duals.push_back(level.dual(x, tangent));
    above.push_back(x.to(at::kDouble) + kStep * tangent.to(at::kDouble));
    below.push_back(x.to(at::kDouble) - kStep * tangent.to(at::kDouble));
  }
  const at::Tensor found = level.tangent(function(duals));
  ASSERT_TRUE(found.defined()) << name;
  const at::Tensor quotient = (function(above) - function(below)) / (2 * kStep);
  EXPECT_TRUE(at::allclose(found.to(at::kDouble), quotient, 1e-3, 1e-3)) << name;
}

TEST(ForwardMode, OfEveryOperator) {
  at::manual_seed(3);
  const at::Tensor x = at::randn({3, 5, 8}), weight = at::randn({8}), bias = at::randn({8});
  for (const Activation activation : {Activation::kNone, Activation::kRelu, Activation::kGelu,
                                      Activation::kGeluTanh, Activation::kSilu}) {
    expect_forward_mode(
        "linear", [&](const Tensors& in) { return heed::linear(in[0], in[1], in[2], activation); },
        {x, at::randn({4, 8}), at::randn({4})});
  }
  expect_forward_mode("layer_norm",
                      [](const Tensors& in) { return heed::layer_norm(in[0], in[1], in[2], 1e-5); },
                      {x, weight, bias});
  expect_forward_mode("rms_norm",
                      [](const Tensors& in) { return heed::rms_norm(in[0], in[1], 1e-5); },
                      {x, weight});
  expect_forward_mode(
      "add_layer_norm",
      [](const Tensors& in) { return add_layer_norm(in[0], in[1], in[2], in[3], 1e-5).normalised; },
      {x, at::randn_like(x), weight, bias});
  expect_forward_mode("embedding",
                      [](const Tensors& in) { return heed::embedding(in[0], in[1], 2); },
                      {at::randn({6, 4}), at::tensor({0, 2, 5, 0}, at::kLong)});
  for (const Reduction reduction : {Reduction::kMean, Reduction::kSum, Reduction::kNone}) {
    expect_forward_mode("cross_entropy",
                        [&](const Tensors& in) {
                          return heed::cross_entropy(
                              in[0], in[1], {.label_smoothing = 0.1, .reduction = reduction});
                        },
                        {at::randn({4, 6}), at::tensor({0, 2, 5, 0}, at::kLong)});
  }
  expect_forward_mode(
      "attention",
      [](const Tensors& in) {
        return heed::attention(in[0], in[1], in[2], {.pattern = Pattern::causal()}).output;
      },
      {at::randn({1, 2, 5, 4}), at::randn({1, 2, 5, 4}), at::randn({1, 2, 5, 4})});
}

// Along itself a tensor's dropout grows as it is.
TEST(ForwardMode, OfDropout) {
  at::manual_seed(4);
  const DualLevel level;
  const at::Tensor x = at::randn({40, 30}), stream = at::randn({40, 30});
  const at::Tensor y = heed::dropout(level.dual(x, x.clone()), {.probability = 0.4, .seed = 7});
  EXPECT_TRUE(at::equal(level.tangent(y), std::get<0>(at::_unpack_dual(y, 0))));
  const at::Tensor z = add_dropout(level.dual(x, x.clone()), stream, {.probability = 0.4});
  EXPECT_TRUE(at::allclose(level.tangent(z) + stream, std::get<0>(at::_unpack_dual(z, 0))));
}

TEST(Devices, AreTheSameForAllArguments) {
  const auto meta = at::TensorOptions(at::kMeta);
  const at::Tensor x = at::randn({3, 4}), row = at::randn({4}), strange = at::empty({4}, meta);
  const at::Tensor ids = at::zeros({3}, at::kLong);
  const at::Tensor strange_ids = at::empty({3}, meta.dtype(at::kLong));
  const at::Tensor strange_x = at::empty({3, 4}, meta);
  EXPECT_THROW(heed::linear(x, at::empty({2, 4}, meta)), UsageError);
  EXPECT_THROW(heed::linear(x, at::randn({2, 4}), at::empty({2}, meta)), UsageError);
  EXPECT_THROW(heed::layer_norm(x, strange, row, 1e-5), UsageError);
  EXPECT_THROW(heed::layer_norm(x, row, strange, 1e-5), UsageError);
  EXPECT_THROW(heed::rms_norm(strange_x, row, 1e-5), UsageError);
  EXPECT_THROW(add_layer_norm(x, strange_x, row, row, 1e-5), UsageError);
  EXPECT_THROW(heed::embedding(x, strange_ids), UsageError);
  EXPECT_THROW(heed::embedding(strange_x, ids), UsageError);
  EXPECT_THROW(heed::cross_entropy(x, strange_ids), UsageError);
  EXPECT_THROW(heed::cross_entropy(strange_x, ids), UsageError);
  EXPECT_THROW(add_dropout(x, strange_x, {.probability = 0.5}), UsageError);
}

}  // namespace
}  // namespace heed
