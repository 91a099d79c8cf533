#include "heed/training/precision.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed::training {
namespace {

TEST(Precision, AutocastShortensProductsAndEndsWithItsScope) {
  const at::Tensor a = at::ones({2, 2});
  {
    const Autocast autocast(c10::kCPU, Precision::kBfloat16);
    EXPECT_EQ(at::mm(a, a).scalar_type(), at::kBFloat16);
    {
      const Autocast inner(c10::kCPU, Precision::kBfloat16);
      EXPECT_EQ(at::mm(a, a).scalar_type(), at::kBFloat16);
    }
    EXPECT_EQ(at::mm(a, a).scalar_type(), at::kBFloat16);
  }
  EXPECT_EQ(at::mm(a, a).scalar_type(), at::kFloat);
  const Autocast none(c10::kCPU, Precision::kFloat32);
  EXPECT_EQ(at::mm(a, a).scalar_type(), at::kFloat);
}

TEST(Precision, WeightsAndTheirGradientsStayFloat32) {
  const at::Tensor weight = at::ones({2, 2}).requires_grad_();
  at::Tensor product;
  {
    const Autocast autocast(c10::kCPU, Precision::kBfloat16);
    product = at::mm(weight, at::ones({2, 2}));
  }
  product.sum().backward();
  EXPECT_EQ(weight.grad().scalar_type(), at::kFloat);
  EXPECT_EQ(weight.grad()[0][0].item<float>(), 2);
}

TEST(Precision, TheLossScaleFallsAtOverflowAndRisesAfterManySteps) {
  LossScale scale(Precision::kFloat16);
  EXPECT_EQ(scale.value(), 65536);
  EXPECT_FALSE(scale.update(false));
  EXPECT_EQ(scale.value(), 32768);
  for (int step = 0; step < 1999; ++step) EXPECT_TRUE(scale.update(true));
  EXPECT_EQ(scale.value(), 32768);
  LossScale resumed(Precision::kFloat16);
  resumed.restore(scale.state());
  EXPECT_TRUE(resumed.update(true));
  EXPECT_EQ(resumed.value(), 65536);
  for (int step = 0; step < 16; ++step) EXPECT_FALSE(resumed.update(false));
  EXPECT_EQ(resumed.value(), 1);
  EXPECT_TRUE(resumed.update(false)) << "a step that overflows at scale 1 is a real error";
  LossScale off(Precision::kBfloat16);
  EXPECT_TRUE(off.update(false));
  EXPECT_EQ(off.value(), 1);
}

TEST(Precision, RefusesWhatIsNotThere) {
  EXPECT_THROW(precision_from("float8", c10::kCPU), UsageError);
  EXPECT_THROW(precision_from("float16", c10::kCPU), UsageError);
  EXPECT_EQ(precision_from("float16", c10::Device(c10::kCUDA, 0)), Precision::kFloat16);
  EXPECT_EQ(device_from("cpu"), c10::Device(c10::kCPU));
  EXPECT_THROW(device_from("tpu"), UsageError);
  EXPECT_THROW(device_from("cuda:"), UsageError);
  EXPECT_THROW(device_from("cuda:x"), UsageError);
  EXPECT_THROW(device_from("cuda:99"), UsageError);
  if (!at::hasCUDA()) {
    try {
      device_from("cuda");
      FAIL() << "no error";
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("no CUDA; choose cpu"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace heed::training
