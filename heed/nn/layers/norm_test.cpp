#include "heed/nn/layers/norm.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/nn/testing/test_tensors.h"

namespace heed::nn {
namespace {

at::Tensor written_out(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
  const at::Tensor wide = x.to(at::kDouble);
  return wide / (wide.pow(2).mean(-1, true) + epsilon).sqrt() * weight.to(at::kDouble);
}

TEST(RmsNorm, IsTheFormulaInItsHeader) {
  at::manual_seed(8);
  for (const int64_t width : {1, 7, 33, 768}) {
    RmsNorm norm(width, 1e-6);
    {
      const c10::AutoGradMode no_gradients(false);
      norm.weight.uniform_(0.5, 1.5);
    }
    const at::Tensor x = at::randn({2, 5, width}) * 3 + 1;
    const at::Tensor expected = written_out(x, norm.weight, 1e-6);
    EXPECT_LT(distance(norm.forward(x), expected), 2e-6) << width;
    const at::Tensor half = x.to(at::kBFloat16);
    norm.to(at::kBFloat16);
    EXPECT_LT(distance(norm.forward(half).to(at::kDouble), written_out(half, norm.weight, 1e-6)),
              0.02 * expected.abs().max().item<double>())
        << width;
  }
}

TEST(RmsNorm, HasTheGradientsOfItsFormula) {
  at::manual_seed(8);
  for (const int64_t width : {3, 40}) {
    RmsNorm norm(width);
    const at::Tensor x = at::randn({4, 9, width}).requires_grad_();
    const at::Tensor pull = at::randn({4, 9, width});
    (norm.forward(x) * pull).sum().backward();
    const at::Tensor wide = x.detach().to(at::kDouble).requires_grad_();
    const at::Tensor weight = norm.weight.detach().to(at::kDouble).requires_grad_();
    (written_out(wide, weight, 1e-6) * pull).sum().backward();
    EXPECT_LT(distance(x.grad(), wide.grad()), 5e-6);
    EXPECT_LT(distance(norm.weight.grad(), weight.grad()), 2e-5);
  }
}

TEST(Norm, IsChosenByName) {
  EXPECT_EQ(name_of(norm_kind_from("rms")), "rms");
  EXPECT_EQ(name_of(norm_kind_from("layer")), "layer");
  EXPECT_THROW(norm_kind_from("batch"), UsageError);

  torch::nn::Module owner;
  const Norm layer(owner, "first", {.kind = NormKind::kLayer, .d_model = 6});
  const Norm rms(owner, "second", {.kind = NormKind::kRms, .d_model = 6});
  EXPECT_EQ(owner.named_parameters().keys(),
            (std::vector<std::string>{"first.weight", "first.bias", "second.weight"}));
  const at::Tensor x = at::randn({2, 6});
  EXPECT_TRUE(at::equal(layer.forward(x), layer.layer->forward(x)));
  EXPECT_TRUE(at::equal(rms.forward(x), rms.rms->forward(x)));
  EXPECT_TRUE(at::equal(Norm().forward(x), x));
}

}  // namespace
}  // namespace heed::nn
