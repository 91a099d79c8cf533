// The gradients of attention_math, which judge all others, against finite differences in double.
#include "heed/ops/testing/test_cases.h"

namespace heed::conformance {
namespace {

// Σ upstream · result, with −inf left out.
double loss(const Case& one, const Inputs& in, const Upstream& upstream) {
  const auto result = attention_math(in.query, in.key, in.value, options_of(one, in));
  const auto lse = result.log_sum_exp.masked_fill(result.log_sum_exp == -INFINITY, 0);
  return ((result.output * upstream.output).sum() + (lse * upstream.log_sum_exp).sum())
      .item<double>();
}

void check_directions(const Case& one) {
  constexpr double kStep = 1e-5;
  const auto in = random_inputs(one);
  const auto upstream = random_upstream(one);
  const auto truth = truth_of(one, in, upstream);
  size_t next = 2;
  Inputs moved = in;
  for (auto& [name, tensor] : moved.named()) {
    if (!tensor->defined()) continue;
    const auto start = tensor->clone();
    const auto direction = at::randn_like(start);
    *tensor = start + kStep * direction;
    const double above = loss(one, moved, upstream);
    *tensor = start - kStep * direction;
    const double below = loss(one, moved, upstream);
    *tensor = start;
    const double slope = (truth[next++].tensor * direction).sum().item<double>();
    // The third derivative is of the order of the numbers themselves: an error of about kStep².
    EXPECT_NEAR((above - below) / (2 * kStep), slope, 1e-6 * (1 + std::abs(slope)))
        << name << " of " << one.text();
  }
}

TEST(MathGradients, FiniteDifferences) {
  for (const auto& score : scores()) {
    for (const auto& pattern : patterns()) {
      for (const auto& modifier : modifiers()) {
        Case one{.score = &score,
                 .pattern_name = pattern.name,
                 .modifier = modifier,
                 .dropout = 0.25,
                 .type = at::kDouble};
        one.sizes = {.key_heads = 2, .queries = 7, .keys = 9, .size = 5, .value_size = 3};
        at::manual_seed(3);
        one.pattern = pattern.make(one.sizes);
        check_directions(one);
      }
    }
  }
}

}  // namespace
}  // namespace heed::conformance
