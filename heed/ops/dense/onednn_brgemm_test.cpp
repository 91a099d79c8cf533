// bfloat16 through torch's brgemm, as on a CPU with AMX; brgemm takes what this one has.
#include "heed/ops/dense/onednn_brgemm.h"

#include <atomic>

#include "heed/kernels/matrix/brgemm.h"
#include "heed/kernels/vector/isa.h"
#include "heed/ops/testing/test_cases.h"

namespace heed::conformance {
namespace {

std::atomic<int> products{0};
const kernels::Brgemm* torch_brgemm = nullptr;

constexpr kernels::Brgemm kCounting = {.multiply =
                                           [](const kernels::BrgemmProduct& product) {
                                             ++products;
                                             torch_brgemm->multiply(product);
                                           },
                                       .release = [] { torch_brgemm->release(); }};

class Brgemm : public ::testing::Test {
 protected:
  void SetUp() override {
    use_brgemm();
    torch_brgemm = kernels::brgemm();
    if (!kernels::is_available(kernels::Isa::kAmx) || torch_brgemm == nullptr) {
      GTEST_SKIP() << "this CPU does not multiply bfloat16, or this torch has no brgemm";
    }
    products = 0;
    kernels::set_brgemm(&kCounting);
  }
  void TearDown() override { kernels::set_brgemm(torch_brgemm); }
};

TEST_F(Brgemm, KeepsTheRule) {
  const kernels::IsaForTest forced(kernels::Isa::kAmx);
  for (const Pattern& pattern : {Pattern(), Pattern::causal()}) {
    at::manual_seed(3);
    Case one{.score = &score_named("scaled_dot"), .pattern = pattern, .modifier = modifiers()[0]};
    one.sizes = {.key_heads = 2, .queries = 200, .keys = 300, .size = 64, .value_size = 32};
    one.type = at::kBFloat16;
    const auto in = random_inputs(one);
    const auto upstream = random_upstream(one);
    expect_rule(one, in, upstream, fused_of(one, in, upstream));
  }
  EXPECT_GT(products, 0);
}

}  // namespace
}  // namespace heed::conformance
