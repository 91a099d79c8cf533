// The straight way gives what the way through torch's dispatcher gives, and autograd sees as much.
#include <ATen/ATen.h>
#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include <torch/csrc/autograd/autograd.h>

#include "heed/ops/attention/operators.h"
#include "heed/ops/testing/test_cases.h"

namespace heed::conformance {
namespace {

// While it lives, somebody looks at the operators that are called.
class Watched {
 public:
  Watched()
      : handle_(at::addThreadLocalCallback(at::RecordFunctionCallback(
            [](const at::RecordFunction&) -> std::unique_ptr<at::ObserverContext> {
              return nullptr;
            }))) {}
  ~Watched() { at::removeCallback(handle_); }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

 private:
  at::CallbackHandle handle_;
};

Case case_of(const ScoreCase& score, at::ScalarType type) {
  Case one{.score = &score, .modifier = modifiers().back(), .dropout = 0.2, .type = type};
  one.sizes = {.key_heads = 2, .queries = 33, .keys = 40};
  one.pattern = Pattern::causal(Alignment::kTopLeft) & Pattern::padded({.key = longs({40, 11})});
  one.pattern_name = "causal and padded";
  return one;
}

TEST(StraightAttention, HasTheBitsOfTheWayThroughTheDispatcher) {
  for (const ScoreCase& score : scores()) {
    for (const auto type : {at::kFloat, at::kBFloat16}) {
      at::manual_seed(4);
      const Case one = case_of(score, type);
      const Inputs in = random_inputs(one);
      const Upstream upstream = random_upstream(one);
      const auto straight = fused_of(one, in, upstream);
      const Watched watched;
      const auto through = fused_of(one, in, upstream);
      ASSERT_EQ(straight.size(), through.size());
      for (size_t i = 0; i < straight.size(); ++i) {
        EXPECT_TRUE(at::equal(straight[i].tensor, through[i].tensor))
            << straight[i].name << " of " << one.text();
      }
    }
  }
}

TEST(StraightAttention, IsTakenWhereOnlyAutogradLooks) {
  const auto query = at::randn({1, 2, 5, 8}).requires_grad_();
  const auto call_with = [](const at::Tensor& q) {
    return AttentionCall{.query = q, .key = q, .value = q, .options = {}};
  };
  EXPECT_TRUE(goes_straight(call_with(query)));
  EXPECT_TRUE(goes_straight(call_with(query.to(at::kBFloat16))));
  EXPECT_FALSE(goes_straight(call_with(query.to(at::kDouble))));
  EXPECT_FALSE(goes_straight(call_with(at::empty_like(query, at::kMeta))));
  const Watched watched;
  EXPECT_FALSE(goes_straight(call_with(query)));
}

// What only a backward pass reads is not made where none follows.
TEST(StraightAttention, KeepsTheRestOfTheLogSumExpForABackwardPassAlone) {
  const auto query = at::randn({1, 2, 5, 8}).requires_grad_();
  const auto recorded = attention(query, query, query);
  EXPECT_TRUE(recorded.log_sum_exp_rest.defined());
  EXPECT_FALSE(recorded.log_sum_exp_rest.requires_grad());
  const at::NoGradGuard no_grad;
  const auto plain = attention(query, query, query);
  EXPECT_FALSE(plain.log_sum_exp_rest.defined());
  EXPECT_TRUE(at::equal(plain.output, recorded.output));
  EXPECT_TRUE(at::equal(plain.log_sum_exp, recorded.log_sum_exp));
}

TEST(StraightAttention, AutogradSeesWhatIsChangedBeforeTheBackwardPass) {
  const auto lengths = longs({3});
  const auto query = at::randn({1, 2, 5, 8}).requires_grad_();
  const auto bias = at::zeros({5, 5});
  const auto backward_after = [&](const at::Tensor& changed) {
    const auto result = attention(query, query, query,
                                  {.pattern = Pattern::padded({.key = lengths}), .bias = bias});
    if (changed.defined()) changed.add_(1);
    torch::autograd::grad({result.output.sum()}, {query});
  };
  EXPECT_NO_THROW(backward_after({}));
  EXPECT_THROW(backward_after(lengths), c10::Error);
  EXPECT_THROW(backward_after(bias), c10::Error);
}

}  // namespace
}  // namespace heed::conformance
