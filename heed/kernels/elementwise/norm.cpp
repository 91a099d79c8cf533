#include "heed/kernels/elementwise/norm.h"

#include <algorithm>
#include <vector>

#include "heed/kernels/arithmetic.h"
#include "heed/kernels/vector/isa.h"
#include "heed/kernels/vector/scratch.h"
#include "heed/kernels/vector/sharing.h"

namespace heed::kernels {
namespace {

const NormTable& norm_table() { return HEED_PICK_ISA(kNormTable); }

int64_t padded(int64_t width) { return round_up(width, 16); }

// Rows whose gradients of weight and bias are summed together: part of the result's definition.
int64_t rows_of_block(int64_t rows) {
  constexpr int64_t kLeastRows = 16, kMostBlocks = 64;
  return std::max(kLeastRows, div_up(rows, kMostBlocks));
}

double operations(const NormSizes& sizes, double each) {
  return each * static_cast<double>(sizes.rows) * static_cast<double>(sizes.width);
}

}  // namespace

void norm_forward(const NormForward& problem, const Workers& workers) {
  const NormSizes& sizes = problem.sizes;
  constexpr int64_t kTaskElements = 16384;
  const int64_t step = std::max<int64_t>(1, kTaskElements / sizes.width);
  for_each_task(workers, div_up(sizes.rows, step), operations(sizes, 30), [&](int64_t task) {
    const int64_t row = task * step;
    norm_table().forward({.problem = &problem,
                          .row = row,
                          .rows = std::min(step, sizes.rows - row),
                          .buffer = thread_scratch().take_alone<float>(padded(sizes.width))});
  });
}

void norm_backward(const NormBackward& problem, const Workers& workers) {
  const NormSizes& sizes = problem.sizes;
  constexpr int64_t kBufferRows = 8;
  const int64_t step = rows_of_block(sizes.rows);
  const int64_t blocks = div_up(sizes.rows, step);
  const int64_t stride = padded(sizes.width);
  const bool weight = problem.grad_weight != nullptr, bias = problem.grad_bias != nullptr;
  std::vector<float> weights(static_cast<size_t>(weight ? blocks * stride : 0));
  std::vector<float> biases(static_cast<size_t>(bias ? blocks * stride : 0));
  for_each_task(workers, blocks, operations(sizes, 60), [&](int64_t block) {
    const int64_t row = block * step;
    norm_table().backward({.problem = &problem,
                           .row = row,
                           .rows = std::min(step, sizes.rows - row),
                           .buffer = thread_scratch().take_alone<float>(kBufferRows * stride),
                           .grad_weight = weight ? weights.data() + block * stride : nullptr,
                           .grad_bias = bias ? biases.data() + block * stride : nullptr});
  });
  const auto add_up = [&](const std::vector<float>& parts, float* to) {
    std::fill_n(to, sizes.width, 0.0F);
    for (int64_t block = 0; block < blocks; ++block) {
      const float* part = parts.data() + block * stride;
      for (int64_t i = 0; i < sizes.width; ++i) to[i] += part[i];
    }
  };
  if (weight) add_up(weights, problem.grad_weight);
  if (bias) add_up(biases, problem.grad_bias);
}

}  // namespace heed::kernels
