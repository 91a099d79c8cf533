// What decoding needs of the states of a batch.
#pragma once

#include <ATen/core/Tensor.h>

namespace heed::models {

// states (B, N, C), lengths (B) int64 or undefined (all N) -> (B, C) of the last real token of each
// row. Throws UsageError where a row has none.
at::Tensor last_token(const at::Tensor& states, const at::Tensor& lengths);

}  // namespace heed::models
