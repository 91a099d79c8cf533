#include "heed/models/parts/last_token.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"

namespace heed::models {

at::Tensor last_token(const at::Tensor& states, const at::Tensor& lengths) {
  check_usage(states.size(1) > 0, "decoding: expected at least one token in each row, got none");
  if (!lengths.defined()) return states.select(1, states.size(1) - 1);
  check_usage(lengths.numel() == 0 || lengths.min().item<int64_t>() > 0,
              "decoding: expected at least one token in each row, got a row with none");
  const at::Tensor rows = at::arange(states.size(0), lengths.options());
  return states.index({rows.to(states.device()), (lengths - 1).to(states.device())});
}

}  // namespace heed::models
