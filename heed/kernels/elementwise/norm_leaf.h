// The source of norm_ISA.cpp.
#pragma once

#include "heed/kernels/elementwise/norm.h"
#include "heed/kernels/vector/typed_rows_leaf.h"

namespace heed::kernels::HEED_ISA {
namespace {

// Sums of a row in four chains, which hides the latency of an addition and keeps errors small.
template <typename Term>
HEED_INLINE float sum_of_row(int64_t width, const Term& term) {
  Floats chains[4] = {};
  int64_t i = 0;
  for (; i + 4 * kLanes <= width; i += 4 * kLanes) {
#pragma GCC unroll 4
    for (int c = 0; c < 4; ++c) chains[c] += term(i + c * kLanes, kLanes);
  }
  for (; i + kLanes <= width; i += kLanes) chains[0] += term(i, kLanes);
  if (i < width) chains[1] += term(i, static_cast<int>(width - i));
  return sum_lanes((chains[0] + chains[1]) + (chains[2] + chains[3]));
}

HEED_INLINE Floats read_floats(const float* from, int64_t i, int count) {
  return count == kLanes ? load(from + i) : load_first(from + i, count);
}

// Lanes beyond `count` become 0.
HEED_INLINE Floats only_first(Floats v, int count) {
  return count == kLanes ? v : select(mask_of_bits(first_bits(count)), v, zeros());
}

// x + residual of one row as it is stored, in `buffer` where memory does not hold it in float32.
const float* forward_row(const NormForward& p, int64_t row, float* buffer) {
  const int64_t width = p.sizes.width;
  const int64_t at = row * width;
  if (p.residual.data == nullptr) {
    if (p.x.type == DataType::kFloat32) return static_cast<const float*>(p.x.data) + at;
    for_each_vector(width, [&](int64_t i, int n) HEED_INLINE_LAMBDA {
      write_typed(buffer, DataType::kFloat32, i, read_typed(p.x.data, p.x.type, at + i, n), n);
    });
    return buffer;
  }
  for_each_vector(width, [&](int64_t i, int n) HEED_INLINE_LAMBDA {
    const Floats s = read_typed(p.x.data, p.x.type, at + i, n) +
                     read_typed(p.residual.data, p.residual.type, at + i, n);
    write_typed(p.sum.data, p.sum.type, at + i, s, n);
    if (p.sum.type == DataType::kBFloat16) {
      write_typed(buffer, DataType::kFloat32, i, read_typed(p.sum.data, p.sum.type, at + i, n), n);
    }
  });
  return p.sum.type == DataType::kFloat32 ? static_cast<const float*>(p.sum.data) + at : buffer;
}

template <bool kCentered>
void forward_rows(const NormForwardTask& task) {
  const NormForward& p = *task.problem;
  const int64_t width = p.sizes.width;
  const float per_width = 1.0f / static_cast<float>(width);
  for (int64_t row = task.row; row < task.row + task.rows; ++row) {
    const float* s = forward_row(p, row, task.buffer);
    float mean = 0;
    if (kCentered) {
      mean = sum_of_row(width,
                        [&](int64_t i, int n) HEED_INLINE_LAMBDA { return read_floats(s, i, n); }) *
             per_width;
      p.mean[row] = mean;
    }
    const float squares = sum_of_row(width, [&](int64_t i, int n) HEED_INLINE_LAMBDA {
      const Floats d =
          kCentered ? only_first(read_floats(s, i, n) - mean, n) : read_floats(s, i, n);
      return d * d;
    });
    const float scale = 1.0f / __builtin_sqrtf(squares * per_width + p.epsilon);
    p.scale[row] = scale;
    for_each_vector(width, [&](int64_t i, int n) HEED_INLINE_LAMBDA {
      Floats v = (read_floats(s, i, n) - mean) * scale;
      if (p.weight != nullptr) v *= read_floats(p.weight, i, n);
      if (p.bias != nullptr) v += read_floats(p.bias, i, n);
      write_typed(p.output.data, p.output.type, row * width + i, v, n);
    });
  }
}

void forward(const NormForwardTask& task) {
  if (task.problem->sizes.kind == NormFormula::kLayer) {
    forward_rows<true>(task);
  } else {
    forward_rows<false>(task);
  }
}

const float* as_floats_row(const ConstRows& rows, int64_t at, int64_t width, float* buffer) {
  if (rows.type == DataType::kFloat32) return static_cast<const float*>(rows.data) + at;
  for_each_vector(width, [&](int64_t i, int n) HEED_INLINE_LAMBDA {
    write_typed(buffer, DataType::kFloat32, i, read_typed(rows.data, rows.type, at + i, n), n);
  });
  return buffer;
}

// What the gradient of one row is made of.
struct GradientRow {
  const float* s;
  const float* grad;
  float mean, scale;
  float mean_g, mean_gx;
};

HEED_INLINE Floats unit(const GradientRow& row, int64_t i, int n) {
  return (read_floats(row.s, i, n) - row.mean) * row.scale;
}

// Rows that go through the columns together: the sums for weight and bias are then fetched and
// stored once for all of them.
constexpr int kTogether = 4;

// With x̂ = (s − mean) · r and g = grad · weight:
//   grad_s = r · (g − mean(g) − x̂ · mean(g · x̂)); RMS norm has no mean(g).
template <bool kCentered>
HEED_INLINE GradientRow gradient_row(const NormBackward& p, int64_t row, float* buffer) {
  const int64_t width = p.sizes.width;
  const int64_t padded = (width + 15) / 16 * 16;
  GradientRow r;
  r.s = as_floats_row(p.s, row * width, width, buffer);
  r.grad = as_floats_row(p.grad_output, row * width, width, buffer + padded);
  r.mean = kCentered ? p.mean[row] : 0.0f;
  r.scale = p.scale[row];
  const float* const weight = p.weight;
  Floats sum_g[2] = {}, sum_gx[2] = {};
  const auto add = [&](int chain, int64_t i, int n) HEED_INLINE_LAMBDA {
    Floats g = read_floats(r.grad, i, n);
    if (weight != nullptr) g *= read_floats(weight, i, n);
    if (kCentered) sum_g[chain] += g;
    sum_gx[chain] = fma(g, unit(r, i, n), sum_gx[chain]);
  };
  int64_t i = 0;
  for (; i + 2 * kLanes <= width; i += 2 * kLanes) {
    add(0, i, kLanes);
    add(1, i + kLanes, kLanes);
  }
  for (; i + kLanes <= width; i += kLanes) add(0, i, kLanes);
  if (i < width) add(1, i, static_cast<int>(width - i));
  const float per_width = 1.0f / static_cast<float>(width);
  r.mean_g = kCentered ? sum_lanes(sum_g[0] + sum_g[1]) * per_width : 0.0f;
  r.mean_gx = sum_lanes(sum_gx[0] + sum_gx[1]) * per_width;
  return r;
}

template <bool kCentered, int kCount>
HEED_INLINE void backward_some(const NormBackwardTask& task, int64_t row) {
  const NormBackward& p = *task.problem;
  const int64_t width = p.sizes.width;
  const int64_t padded = (width + 15) / 16 * 16;
  GradientRow rows[kCount];
#pragma GCC unroll 4
  for (int r = 0; r < kCount; ++r) {
    rows[r] = gradient_row<kCentered>(p, row + r, task.buffer + r * 2 * padded);
  }
  float* const grad_weight = task.grad_weight;
  float* const grad_bias = task.grad_bias;
  const float* const weight = p.weight;
  const ConstRows grad_sum = p.grad_sum;
  const MutableRows grad_s = p.grad_s;
  for_each_vector(width, [&](int64_t i, int n) HEED_INLINE_LAMBDA {
    Floats for_weight = zeros(), for_bias = zeros();
    const Floats w = weight != nullptr ? read_floats(weight, i, n) : broadcast(1.0f);
#pragma GCC unroll 4
    for (int r = 0; r < kCount; ++r) {
      const Floats x = unit(rows[r], i, n);
      const Floats grad = read_floats(rows[r].grad, i, n);
      for_weight = fma(grad, x, for_weight);
      for_bias += grad;
      Floats result = ((grad * w - rows[r].mean_g) - x * rows[r].mean_gx) * rows[r].scale;
      const int64_t at = (row + r) * width + i;
      if (grad_sum.data != nullptr) result += read_typed(grad_sum.data, grad_sum.type, at, n);
      write_typed(grad_s.data, grad_s.type, at, result, n);
    }
    if (grad_weight != nullptr) {
      for_weight += read_floats(grad_weight, i, n);
      write_typed(grad_weight, DataType::kFloat32, i, for_weight, n);
    }
    if (grad_bias != nullptr) {
      for_bias += read_floats(grad_bias, i, n);
      write_typed(grad_bias, DataType::kFloat32, i, for_bias, n);
    }
  });
}

template <bool kCentered>
void backward_rows(const NormBackwardTask& task) {
  int64_t row = task.row;
  const int64_t end = task.row + task.rows;
  for (; row + kTogether <= end; row += kTogether) backward_some<kCentered, kTogether>(task, row);
  for (; row < end; ++row) backward_some<kCentered, 1>(task, row);
}

void backward(const NormBackwardTask& task) {
  if (task.problem->sizes.kind == NormFormula::kLayer) {
    backward_rows<true>(task);
  } else {
    backward_rows<false>(task);
  }
}

}  // namespace

const NormTable kNormTable = {forward, backward};

}  // namespace heed::kernels::HEED_ISA
