// Tensors whose memory the kernels may read as it is.
#pragma once

#include <ATen/core/Tensor.h>

#include "heed/kernels/attention.h"

namespace heed {

// float32 or bfloat16 on the CPU, without lazy negation and without a gradient of forward mode.
bool is_plain(const at::Tensor& t);

// Of one of those.
kernels::DataType data_type_of(const at::Tensor& t);

// Contiguous float32, for parameters that are small; undefined stays undefined.
at::Tensor as_float_row(const at::Tensor& t);

}  // namespace heed
