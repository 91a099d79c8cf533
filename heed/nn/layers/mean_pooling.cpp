#include "heed/nn/layers/mean_pooling.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "heed/base/error.h"

namespace heed::nn {

at::Tensor mean_over_tokens(const at::Tensor& states, const at::Tensor& lengths) {
  check_usage(states.dim() == 3, "mean over tokens: expected states (B, N, C), got ",
              states.sizes());
  if (!lengths.defined()) {
    return states.sum(1) / static_cast<double>(std::max<int64_t>(states.size(1), 1));
  }
  check_usage(
      lengths.scalar_type() == at::kLong && lengths.dim() == 1 && lengths.size(0) == states.size(0),
      "mean over tokens: expected int64 lengths (", states.size(0), "), got ",
      lengths.scalar_type(), " ", lengths.sizes());
  const at::Tensor real =
      at::arange(states.size(1), lengths.options()).unsqueeze(0) < lengths.unsqueeze(1);
  const at::Tensor kept = states.masked_fill(real.logical_not().unsqueeze(-1), 0);
  return kept.sum(1) / lengths.clamp_min(1).unsqueeze(1).to(states.scalar_type());
}

}  // namespace heed::nn
