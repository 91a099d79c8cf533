#include "heed/nn/layers/layer_norm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/nn/testing/test_tensors.h"

namespace heed::nn {
namespace {

TEST(LayerNorm, IsTheFormulaInItsHeader) {
  at::manual_seed(8);
  LayerNorm norm(33, 1e-5);
  norm.weight.detach().uniform_(0.5, 1.5);
  norm.bias.detach().uniform_(-1, 1);
  const at::Tensor x = at::randn({2, 7, 33}) * 3 + 5;
  const at::Tensor wide = x.to(at::kDouble);
  const at::Tensor centred = wide - wide.mean(-1, true);
  const at::Tensor deviation = (centred.pow(2).mean(-1, true) + 1e-5).sqrt();
  const at::Tensor expected = centred / deviation * norm.weight + norm.bias;
  EXPECT_LT(distance(norm.forward(x), expected), 5e-6);
}

}  // namespace
}  // namespace heed::nn
