#include "heed/tasks/common/class_weights.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed::tasks {
namespace {

TEST(ClassWeights, GiveEachClassTheSameWeightTogether) {
  EXPECT_FALSE(class_weights("none", {1, 2}).defined());
  const std::vector<int64_t> counts = {1, 0, 3, 4};
  const at::Tensor weights = class_weights("balanced", counts);
  ASSERT_EQ(weights.sizes(), at::IntArrayRef{4});
  for (const size_t c : {0, 2, 3}) {
    EXPECT_FLOAT_EQ(weights[static_cast<int64_t>(c)].item<float>() * static_cast<float>(counts[c]),
                    8.F / 3);
  }
  EXPECT_EQ(weights[1].item<float>(), 1);  // of a class without an example
  for (const std::string& name : class_weight_names()) EXPECT_NO_THROW(class_weights(name, counts));
}

TEST(ClassWeights, ALossIsTheMeanByWeight) {
  const at::Tensor losses = at::tensor({1.F, 5.F}).requires_grad_();
  const Loss loss = weighted_loss(losses, at::tensor({3.F, 1.F}), 17);
  EXPECT_FLOAT_EQ(loss.value.item<float>(), 2);
  EXPECT_EQ(loss.weight, 4);
  EXPECT_EQ(loss.tokens, 17);
  loss.value.backward();
  EXPECT_FLOAT_EQ(losses.grad()[0].item<float>(), 0.75);
}

TEST(ClassWeights, ClassesThatDoNotFitIntoMemoryAreRefused) {
  EXPECT_NO_THROW(check_classes_fit("10 classes", 10 * 64));
  EXPECT_THROW(check_classes_fit("10^12 classes", int64_t{1} << 50), UsageError);
  EXPECT_NO_THROW(check_logits_fit(100, 1000));
  EXPECT_THROW(check_logits_fit(int64_t{1} << 25, int64_t{1} << 25), UsageError);
}

}  // namespace
}  // namespace heed::tasks
