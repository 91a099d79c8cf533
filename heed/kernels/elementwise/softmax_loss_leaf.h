// The source of softmax_loss_ISA.cpp.
#pragma once

#include "heed/kernels/elementwise/softmax_loss.h"
#include "heed/kernels/vector/simd_math_leaf.h"
#include "heed/kernels/vector/typed_rows_leaf.h"

namespace heed::kernels::HEED_ISA {
namespace {

// Columns that are summed before they are added to the sums so far, which keeps rounding errors of
// long rows small.
constexpr int64_t kStretch = 64 * kLanes;

template <DataType kType>
SoftmaxSums sums_of_row(const SoftmaxRow& row) {
  const float infinity = __builtin_inff();
  Floats top = broadcast(-infinity);
  for_each_vector(row.classes, [&](int64_t i, int n) HEED_INLINE_LAMBDA {
    Floats x = read_typed(row.logits, kType, i, n);
    if (n < kLanes) x = select(mask_of_bits(first_bits(n)), x, broadcast(-infinity));
    top = max(x, top);
  });
  SoftmaxSums sums;
  sums.largest = max_lanes(top);
  Floats exponentials = zeros(), logits = zeros();
  for (int64_t begin = 0; begin < row.classes; begin += kStretch) {
    const int64_t left = row.classes - begin;
    Floats e = zeros(), x = zeros();
    for_each_vector(left < kStretch ? left : kStretch, [&](int64_t i, int n) HEED_INLINE_LAMBDA {
      Floats d = read_typed(row.logits, kType, begin + i, n) - sums.largest;
      Floats power = exp2(d * broadcast(kLog2E));
      if (n < kLanes) {
        d = select(mask_of_bits(first_bits(n)), d, zeros());
        power = select(mask_of_bits(first_bits(n)), power, zeros());
      }
      e += power;
      x += d;
    });
    exponentials += e;
    logits += x;
  }
  sums.exponentials = sum_lanes(exponentials);
  sums.logits = sum_lanes(logits);
  return sums;
}

SoftmaxSums forward(const SoftmaxRow& row) {
  return row.type == DataType::kFloat32 ? sums_of_row<DataType::kFloat32>(row)
                                        : sums_of_row<DataType::kBFloat16>(row);
}

template <DataType kType>
void gradient_of_row(const SoftmaxGradient& task) {
  for_each_vector(task.row.classes, [&](int64_t i, int n) HEED_INLINE_LAMBDA {
    const Floats d = read_typed(task.row.logits, kType, i, n) - task.largest;
    const Floats power = exp2(d * broadcast(kLog2E));
    write_typed(task.to, kType, i, fma(power, broadcast(task.factor), broadcast(task.shift)), n);
  });
}

void backward(const SoftmaxGradient& task) {
  if (task.row.type == DataType::kFloat32) {
    gradient_of_row<DataType::kFloat32>(task);
  } else {
    gradient_of_row<DataType::kBFloat16>(task);
  }
}

}  // namespace

const SoftmaxLossTable kSoftmaxLossTable = {forward, backward};

}  // namespace heed::kernels::HEED_ISA
