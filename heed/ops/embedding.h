// heed::embedding: rows of a table by number.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace heed {

// weight (V, C), ids (...) int64 in [0, V) -> (..., C). The row `padding_id` gets no gradient; −1:
// none such. Differentiable, twice too. The gradient of a row is summed in the order of the ids, in
// float32: the same bits for any number of threads. Throws UsageError where shapes or dtypes do not
// fit and DataError for an id that is no row.
at::Tensor embedding(const at::Tensor& weight, const at::Tensor& ids, int64_t padding_id = -1);

}  // namespace heed
