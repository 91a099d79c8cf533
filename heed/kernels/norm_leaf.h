// The source of norm_ISA.cpp.
#pragma once

#include "heed/kernels/norm.h"
#include "heed/kernels/typed_rows.h"

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
  if (task.problem->sizes.kind == NormKind::kLayer) {
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

// With x̂ = (s − mean) · r and g = grad · weight:
//   grad_s = r · (g − mean(g) − x̂ · mean(g · x̂)); RMS norm has no mean(g).
template <bool kCentered>
void backward_rows(const NormBackwardTask& task) {
  const NormBackward& p = *task.problem;
  const int64_t width = p.sizes.width;
  const float per_width = 1.0f / static_cast<float>(width);
  const int64_t padded = (width + 15) / 16 * 16;
  for (int64_t row = task.row; row < task.row + task.rows; ++row) {
    const int64_t at = row * width;
    const float* s = as_floats_row(p.s, at, width, task.buffer);
    const float* grad = as_floats_row(p.grad_output, at, width, task.buffer + padded);
    const float mean = kCentered ? p.mean[row] : 0.0f;
    const float scale = p.scale[row];
    Floats sum_g = zeros(), sum_gx = zeros();
    for_each_vector(width, [&](int64_t i, int n) HEED_INLINE_LAMBDA {
      const Floats x = (read_floats(s, i, n) - mean) * scale;
      const Floats dy = read_floats(grad, i, n);
      const Floats g = p.weight != nullptr ? dy * read_floats(p.weight, i, n) : dy;
      if (kCentered) sum_g += g;
      sum_gx += g * x;
      if (task.grad_weight != nullptr) {
        write_typed(task.grad_weight, DataType::kFloat32, i,
                    fma(dy, x, read_floats(task.grad_weight, i, n)), n);
      }
      if (task.grad_bias != nullptr) {
        write_typed(task.grad_bias, DataType::kFloat32, i, dy + read_floats(task.grad_bias, i, n),
                    n);
      }
    });
    const float mean_g = kCentered ? sum_lanes(sum_g) * per_width : 0.0f;
    const float mean_gx = sum_lanes(sum_gx) * per_width;
    for_each_vector(width, [&](int64_t i, int n) HEED_INLINE_LAMBDA {
      const Floats x = (read_floats(s, i, n) - mean) * scale;
      Floats g = read_floats(grad, i, n);
      if (p.weight != nullptr) g *= read_floats(p.weight, i, n);
      Floats result = ((g - mean_g) - x * mean_gx) * scale;
      if (p.grad_sum.data != nullptr) {
        result += read_typed(p.grad_sum.data, p.grad_sum.type, at + i, n);
      }
      write_typed(p.grad_s.data, p.grad_s.type, at + i, result, n);
    });
  }
}

void backward(const NormBackwardTask& task) {
  if (task.problem->sizes.kind == NormKind::kLayer) {
    backward_rows<true>(task);
  } else {
    backward_rows<false>(task);
  }
}

}  // namespace

const NormTable kNormTable = {forward, backward};

}  // namespace heed::kernels::HEED_ISA
