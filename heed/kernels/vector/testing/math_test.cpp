#include "heed/kernels/vector/testing/math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "heed/base/error.h"
#include "heed/kernels/vector/isa.h"

namespace heed::kernels {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

void on_each_isa(const std::function<void()>& body) {
  for (int i = 0; i < kIsaCount; ++i) {
    const Isa isa = static_cast<Isa>(i);
    if (!is_available(isa)) continue;
    SCOPED_TRACE(name_of(isa));
    const IsaForTest forced(isa);
    body();
  }
}

using Function = void (*)(const float*, float*, int64_t);

// The largest error in units of the exact result's last place.
double worst_ulps(Function function, double (*exact)(double), float from, float to) {
  std::vector<float> x(100003);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = from + (to - from) * static_cast<float>(i) / static_cast<float>(x.size() - 1);
  }
  std::vector<float> y(x.size());
  function(x.data(), y.data(), static_cast<int64_t>(x.size()));
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double want = exact(x[i]);
    const double ulp = std::ldexp(1.0, std::ilogb(want == 0 ? 1e-30 : want) - 23);
    worst = std::max(worst, std::abs(y[i] - want) / ulp);
  }
  return worst;
}

float one(Function function, float x) {
  float y = 0;
  function(&x, &y, 1);
  return y;
}

TEST(Math, Exp2IsWithinTwoUlps) {
  on_each_isa([] {
    EXPECT_LE(worst_ulps(
                  math_table().exp2, [](double x) { return std::exp2(x); }, -125, 127),
              2);
    EXPECT_EQ(one(math_table().exp2, 0), 1);
    EXPECT_EQ(one(math_table().exp2, -kInfinity), 0);
    EXPECT_EQ(one(math_table().exp2, -1e30f), 0);
    EXPECT_TRUE(std::isnan(one(math_table().exp2, kNaN)));
  });
}

TEST(Math, Log2IsWithinThreeUlps) {
  on_each_isa([] {
    const auto exact = [](double x) { return std::log2(x); };
    EXPECT_LE(worst_ulps(math_table().log2, exact, 1.5F, 1e6F), 3);
    EXPECT_LE(worst_ulps(math_table().log2, exact, 1e-6F, 0.6F), 3);
    EXPECT_EQ(one(math_table().log2, 1), 0);
    EXPECT_EQ(one(math_table().log2, 0), -kInfinity);
    EXPECT_EQ(one(math_table().log2, kInfinity), kInfinity);
    EXPECT_TRUE(std::isnan(one(math_table().log2, kNaN)));
  });
}

TEST(Math, TanhIsWithinTwoUlps) {
  on_each_isa([] {
    const auto exact = [](double x) { return std::tanh(x); };
    EXPECT_LE(worst_ulps(math_table().tanh, exact, -12, 12), 2);
    EXPECT_LE(worst_ulps(math_table().tanh, exact, 1e-6F, 1e-3F), 1);
    EXPECT_FLOAT_EQ(one(math_table().tanh, kInfinity), 1);
    EXPECT_TRUE(std::isnan(one(math_table().tanh, kNaN)));
  });
}

TEST(Math, BFloat16RoundsToNearestEven) {
  on_each_isa([] {
    const std::vector<float> x = {1.0F, 1.00390625F, 1.01171875F, -3.3895314e38F, kInfinity,
                                  kNaN, 0.1F,        -0.0F,       3.1415927F,     1e-40F,
                                  2.0F, -kInfinity,  5.0F,        6.0F,           7.0F,
                                  8.0F, 1.0039063F,  kNaN,        1.00390637F};
    std::vector<uint16_t> half(x.size());
    math_table().to_bfloat16(x.data(), half.data(), static_cast<int64_t>(x.size()));
    std::vector<float> back(x.size());
    math_table().from_bfloat16(half.data(), back.data(), static_cast<int64_t>(x.size()));
    EXPECT_EQ(back[0], 1.0F);
    EXPECT_EQ(back[1], 1.0F);       // half way, to even
    EXPECT_EQ(back[2], 1.015625F);  // half way, to even
    EXPECT_EQ(back[4], kInfinity);
    EXPECT_TRUE(std::isnan(back[5]));
    EXPECT_FLOAT_EQ(back[6], 0.10009765625F);
    EXPECT_EQ(back[16], 1.0F);
    EXPECT_TRUE(std::isnan(back[17]));
    EXPECT_EQ(back[18], 1.0078125F);  // just above half way
  });
}

TEST(Isa, NamesAreChecked) {
  EXPECT_TRUE(is_available(Isa::kPortable));
  const IsaForTest forced(Isa::kPortable);
  EXPECT_STREQ(isa_name(), "portable");
}

}  // namespace
}  // namespace heed::kernels
