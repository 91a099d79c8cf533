#include "heed/ops/embedding.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/ops/testing/rule_of_two.h"

namespace heed {
namespace {

TEST(EmbeddingRows, AreAsExactAsTorchs) {
  at::manual_seed(1);
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    for (const int64_t padding : {-1, 2}) {
      RuleOfTwo rule(
          [&](const Tensors& in) { return Tensors{heed::embedding(in[0], in[1], padding)}; },
          [&](const Tensors& in) { return Tensors{at::embedding(in[0], in[1], padding)}; });
      for (const int64_t rows : {3, 65, 5000}) {
        const at::Tensor ids = at::randint(rows, {4, 100}, at::kLong);
        rule.add({at::randn({rows, 33}), ids}, {at::randn({4, 100, 33})}, type);
      }
    }
  }
}

TEST(EmbeddingRows, DoNotDependOnTheThreads) {
  const at::Tensor ids = at::randint(300, {4000}, at::kLong);
  expect_no_trace_of_threads(
      [](const Tensors& in) { return Tensors{heed::embedding(in[0], in[1])}; },
      {at::randn({3000, 100}), ids}, {at::randn({4000, 100})});
}

TEST(EmbeddingRows, CanBeDifferentiatedTwice) {
  const auto heeds = [](const Tensors& in) {
    return Tensors{heed::embedding(in[0].sin(), in[1], 1)};
  };
  const auto torchs = [](const Tensors& in) {
    return Tensors{at::embedding(in[0].sin(), in[1], 1)};
  };
  expect_second_derivatives(heeds, torchs,
                            {at::randn({6, 5}), at::tensor({int64_t{0}, int64_t{1}, int64_t{3},
                                                            int64_t{3}, int64_t{5}})});
}

TEST(EmbeddingRows, TakeNoIdsAndRefuseWrongOnes) {
  const at::Tensor weight = at::randn({6, 5}).requires_grad_();
  const at::Tensor none = heed::embedding(weight, at::empty({0}, at::kLong));
  EXPECT_EQ(none.sizes(), at::IntArrayRef({0, 5}));
  none.sum().backward();
  EXPECT_TRUE(at::equal(weight.grad(), at::zeros({6, 5})));
  EXPECT_THROW(heed::embedding(weight, at::full({1}, 6, at::kLong)), DataError);
  EXPECT_THROW(heed::embedding(weight, at::full({1}, -1, at::kLong)), DataError);
  EXPECT_THROW(heed::embedding(weight, at::zeros({1})), UsageError);
}

}  // namespace
}  // namespace heed
