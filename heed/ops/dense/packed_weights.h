// Packed copies of weights, kept from one product to the next where the weight does not change.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "heed/kernels/matrix/gemm.h"

namespace heed {

using PackedPtr = std::shared_ptr<const kernels::PackedMatrix>;

// A 2-D tensor of float32 or bfloat16 on the CPU as the kernels see it. One of its strides must be
// 1: see with_contiguous_side().
kernels::ConstMatrix matrix_of(const at::Tensor& t);

// t itself, or a copy of it if neither its rows nor its columns are contiguous.
at::Tensor with_contiguous_side(const at::Tensor& t);

// weightᵀ packed for products of `operand`, from the cache or into it. A copy is used again while
// its storage, place in it and version counter are the same. An inference tensor has no version
// counter, so that its copy is not kept. Safe to call from several threads.
PackedPtr packed_weight(const at::Tensor& weight, kernels::DataType operand);

// Drops the copies of this weight, which is about to be trained.
void forget_packed_weight(const at::Tensor& weight);

// Whether copies are kept (the default) or made for each product: for programs where weights change
// behind the back of their version counters, as they do in Python through `weight.data`.
void keep_packed_weights(bool keeps);

struct PackedWeightsSummary {
  int64_t copies = 0;
  int64_t bytes = 0;
  int64_t packings = 0;  // since the program began, by packed_weight()
};
PackedWeightsSummary packed_weights_summary();

}  // namespace heed
