#include "heed/kernels/elementwise/softmax_loss.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "heed/kernels/arithmetic.h"
#include "heed/kernels/vector/isa.h"
#include "heed/kernels/vector/sharing.h"

namespace heed::kernels {
namespace {

const SoftmaxLossTable& table() { return HEED_PICK_ISA(kSoftmaxLossTable); }

float float_of(uint16_t half) {
  const uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

SoftmaxRow row_of(const SoftmaxLoss& p, int64_t row) {
  return {static_cast<const char*>(p.logits) + row * p.row_stride * bytes_of(p.type), p.type,
          p.classes};
}

double logit(const SoftmaxRow& row, int64_t column) {
  return row.type == DataType::kFloat32
             ? static_cast<const float*>(row.logits)[column]
             : float_of(static_cast<const uint16_t*>(row.logits)[column]);
}

double operations(const SoftmaxLoss& p) {
  return 40.0 * static_cast<double>(p.rows) * static_cast<double>(p.classes);
}

// Calls body(row) for every row, some rows a task.
template <typename Body>
void for_each_row(const SoftmaxLoss& p, const Workers& workers, const Body& body) {
  constexpr int64_t kTaskElements = 16384;
  const int64_t step = std::max<int64_t>(1, kTaskElements / std::max<int64_t>(1, p.classes));
  for_each_task(workers, div_up(p.rows, step), operations(p), [&](int64_t task) {
    for (int64_t row = task * step; row < std::min(p.rows, (task + 1) * step); ++row) body(row);
  });
}

}  // namespace

void softmax_loss_forward(const SoftmaxLoss& p, double* losses, SoftmaxStatistics* statistics,
                          const Workers& workers) {
  for_each_row(p, workers, [&](int64_t row) {
    const int64_t target = p.targets[row];
    if (target == p.ignored) {
      losses[row] = 0;
      statistics[row] = {};
      return;
    }
    const SoftmaxRow logits = row_of(p, row);
    const SoftmaxSums sums = table().forward(logits);
    const double log_sum = std::log(static_cast<double>(sums.exponentials));
    const double at_target = logit(logits, target) - static_cast<double>(sums.largest);
    losses[row] = log_sum - (1 - p.smoothing) * at_target;
    if (p.smoothing > 0) {
      losses[row] -=
          p.smoothing * static_cast<double>(sums.logits) / static_cast<double>(p.classes);
    }
    statistics[row] = {sums.largest,
                       static_cast<float>(1.0 / static_cast<double>(sums.exponentials))};
  });
}

double log_sum_exp(const SoftmaxRow& row) {
  const SoftmaxSums sums = table().forward(row);
  return static_cast<double>(sums.largest) + std::log(static_cast<double>(sums.exponentials));
}

void softmax_loss_backward(const SoftmaxLoss& p, const SoftmaxStatistics* statistics,
                           const float* scales, void* grad_logits, const Workers& workers) {
  const int64_t row_bytes = p.classes * bytes_of(p.type);
  for_each_row(p, workers, [&](int64_t row) {
    char* to = static_cast<char*>(grad_logits) + row * row_bytes;
    const int64_t target = p.targets[row];
    if (target == p.ignored) {
      std::memset(to, 0, static_cast<size_t>(row_bytes));
      return;
    }
    const SoftmaxRow logits = row_of(p, row);
    const double scale = static_cast<double>(scales[row]);
    const double factor = scale * static_cast<double>(statistics[row].inverse_sum);
    const double shift = -scale * p.smoothing / static_cast<double>(p.classes);
    table().backward({.row = logits,
                      .largest = statistics[row].largest,
                      .factor = static_cast<float>(factor),
                      .shift = static_cast<float>(shift),
                      .to = to});
    const double power =
        std::exp(logit(logits, target) - static_cast<double>(statistics[row].largest));
    const auto at_target = static_cast<float>(factor * power + shift - scale * (1 - p.smoothing));
    if (p.type == DataType::kFloat32) {
      reinterpret_cast<float*>(to)[target] = at_target;
    } else {
      // Through the table's own rounding: a row of one element whose power is 1.
      const uint16_t zero = 0;
      table().backward({.row = {&zero, p.type, 1},
                        .largest = 0,
                        .factor = at_target,
                        .shift = 0,
                        .to = to + 2 * target});
    }
  });
}

}  // namespace heed::kernels
