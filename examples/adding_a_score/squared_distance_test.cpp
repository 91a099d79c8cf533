// The conformance tests of Heed's own scores, over the score of this example.
#include "heed/ops/testing/test_cases.h"
#include "squared_distance_kind.h"

namespace heed::conformance {
namespace {

const ScoreCase& squared_distance() {
  static const ScoreCase score = [] {
    add_squared_distance();
    return ScoreCase{
        .name = "squared_distance",
        .parameter = [](const Sizes& n) { return at::rand({n.heads}, at::kDouble) * 0.2; },
        .make =
            [](const at::Tensor& width) {
              return NamedScore{"squared_distance", width};
            },
        // The longest distance: both ends the opposite way.
        .factor =
            [](const at::Tensor& query, const at::Tensor& key) {
              const double ends =
                  query.norm(2, {-1}).max().item<double>() + key.norm(2, {-1}).max().item<double>();
              return ends * ends;
            }};
  }();
  return score;
}

TEST(SquaredDistance, IsTheDistance) {
  squared_distance();
  const auto query = at::randn({1, 1, 3, 4}, at::kDouble);
  const auto key = at::randn({1, 1, 5, 4}, at::kDouble);
  const auto width = at::full({1}, 0.7, at::kDouble);
  const auto lse =
      attention(query, key, key, {.score = NamedScore{"squared_distance", width}}).log_sum_exp;
  const auto distance = (query.unsqueeze(3) - key.unsqueeze(2)).square().sum(-1);
  EXPECT_LE(error_of(lse, (-0.7 * distance).logsumexp({-1})), 1e-12);
}

TEST(SquaredDistance, Conforms) {
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    for (const auto& pattern : patterns()) {
      for (const auto& modifier : modifiers()) {
        at::manual_seed(8);
        Case one{.score = &squared_distance(),
                 .pattern_name = pattern.name,
                 .modifier = modifier,
                 .dropout = 0.1,
                 .type = type};
        one.sizes = {.key_heads = 2, .queries = 33, .keys = 65};
        one.pattern = pattern.make(one.sizes);
        const auto in = random_inputs(one);
        const auto upstream = random_upstream(one);
        expect_rule(one, in, upstream, fused_of(one, in, upstream));
      }
    }
  }
}

}  // namespace
}  // namespace heed::conformance
