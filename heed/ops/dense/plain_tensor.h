// Tensors whose memory the kernels may read as it is.
#pragma once

#include <ATen/core/Tensor.h>

#include "heed/kernels/attention/problem.h"

namespace heed {

// float32 or bfloat16 on the CPU, without lazy negation and without a gradient of forward mode.
bool is_plain(const at::Tensor& t);

// Of one of those.
kernels::DataType data_type_of(const at::Tensor& t);

// Contiguous float32, for parameters that are small; undefined stays undefined.
at::Tensor as_float_row(const at::Tensor& t);

// at::empty() in large pages where it is large: touching its memory for the first time otherwise
// costs more than filling it.
at::Tensor empty_in_large_pages(at::IntArrayRef sizes, const at::TensorOptions& options);

}  // namespace heed
