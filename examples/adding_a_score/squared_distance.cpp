#include "squared_distance_kind.h"

#include <ATen/ATen.h>

#include "heed/ops/attention/score_kinds.h"

namespace {

// The same in plain tensor operations: for float64, for other devices, and to judge the kernel.
at::Tensor squared_distance(const heed::ScoreInputs& in) {
  const auto squares = [](const at::Tensor& x) { return x.square().sum(-1, /*keepdim=*/true); };
  const auto distance =
      squares(in.query) + squares(in.key).transpose(-2, -1) - 2 * heed::score_products(in);
  return -in.parameter.view({-1, 1, 1}) * distance;
}

}  // namespace

void add_squared_distance() {
  heed::add_score_kind({.name = "squared_distance",
                        .kernel = "squared_distance",
                        .parameter = heed::ScoreKind::Parameter::kPerHead,
                        .initial = 0.1,
                        .formula = squared_distance});
}
