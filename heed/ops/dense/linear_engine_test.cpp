#include "heed/ops/dense/linear_engine.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "heed/base/error.h"
#include "heed/ops/linear.h"

namespace heed {
namespace {

using Sizes = std::vector<int64_t>;

TEST(LinearEngines, TakesEmptyInputs) {
  const LinearEngineForTest own(LinearEngine::kOwn);
  const at::Tensor w = at::randn({3, 4}), b = at::randn({3});
  EXPECT_EQ(heed::linear(at::empty({0, 4}), w, b).sizes(), (Sizes{0, 3}));
  EXPECT_EQ(heed::linear(at::empty({2, 0, 4}), w, b).sizes(), (Sizes{2, 0, 3}));
  EXPECT_EQ(heed::linear(at::randn({2, 4}), at::empty({0, 4})).sizes(), (Sizes{2, 0}));
  EXPECT_TRUE(at::equal(heed::linear(at::empty({2, 0}), at::empty({3, 0}), b), b.expand({2, 3})));
}

TEST(LinearEngines, RefusesShapesThatDoNotFit) {
  for (const LinearEngine engine : {LinearEngine::kOwn, LinearEngine::kTorch}) {
    const LinearEngineForTest forced(engine);
    EXPECT_THROW(heed::linear(at::randn({2, 3}), at::randn({5, 4})), UsageError);
    EXPECT_THROW(heed::linear(at::randn({2, 4}), at::randn({4})), UsageError);
    EXPECT_THROW(heed::linear(at::randn({}), at::randn({5, 4})), UsageError);
    EXPECT_THROW(heed::linear(at::Tensor(), at::randn({5, 4})), UsageError);
    EXPECT_THROW(heed::linear(at::randn({2, 4}), at::Tensor()), UsageError);
    EXPECT_THROW(heed::linear(at::randn({2, 4}), at::randn({5, 4}), at::randn({1})), UsageError);
  }
}

TEST(LinearEngines, NamesItsActivations) {
  for (const Activation activation : {Activation::kNone, Activation::kRelu, Activation::kGelu,
                                      Activation::kGeluTanh, Activation::kSilu}) {
    EXPECT_EQ(activation_from(name_of(activation)), activation);
  }
  EXPECT_THROW(activation_from("swish"), UsageError);
}

using LinearEngineDeathTest = ::testing::Test;

TEST_F(LinearEngineDeathTest, IsChosenByTheEnvironment) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto engine_for = [](const char* value) {
    setenv("HEED_LINEAR", value, 1);
    try {
      return static_cast<int>(linear_engine());
    } catch (const UsageError&) {
      return 99;
    }
  };
  EXPECT_EXIT(std::exit(engine_for("torch")), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(std::exit(engine_for("own")), testing::ExitedWithCode(1), "");
  EXPECT_EXIT(std::exit(engine_for("fast")), testing::ExitedWithCode(99), "");
}

}  // namespace
}  // namespace heed
