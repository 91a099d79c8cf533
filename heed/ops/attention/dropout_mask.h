// The dropout of attention as a tensor: the same weights that the kernels drop.
#pragma once

#include "heed/kernels/attention/problem.h"
#include "heed/ops/attention.h"

namespace heed {

// What the kernels are told of it.
kernels::Dropout kernel_dropout(const AttentionOptions& options);

// (B, H, Nq, Nk): 1 / (1 − dropout) where a weight is kept, 0 where it is dropped.
at::Tensor dropout_factors(const Pattern::Sizes& sizes, const AttentionOptions& options,
                           at::ScalarType type, at::Device device);

}  // namespace heed
