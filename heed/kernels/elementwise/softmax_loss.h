// Cross-entropy of the softmax of each row with its target, and its gradient.
//
//   loss = log Σ e^x − (1 − ε) · x[target] − ε · mean(x)
//
// ε: label smoothing (Szegedy et al. 2016, section 7). Each row is summed alone and in one order.
#pragma once

#include <cstdint>

#include "heed/base/workers.h"
#include "heed/kernels/data_type.h"
#include "heed/kernels/vector/isa.h"

namespace heed::kernels {

struct SoftmaxLoss {
  const void* logits = nullptr;  // (rows, classes), rows contiguous
  DataType type = DataType::kFloat32;
  int64_t rows = 0;
  int64_t classes = 0;
  int64_t row_stride = 0;
  const int64_t* targets = nullptr;  // (rows)
  int64_t ignored = -100;            // a target whose row has no loss
  double smoothing = 0;
};

// What the gradient needs of a row: its largest element and 1 / Σ e^(x − largest).
struct SoftmaxStatistics {
  float largest = 0;
  float inverse_sum = 0;
};

// losses (rows): 0 where the target is ignored.
void softmax_loss_forward(const SoftmaxLoss& problem, double* losses, SoftmaxStatistics* statistics,
                          const Workers& workers);

// grad_logits (rows, classes) without gaps, of the type of the logits:
// scales[row] · (softmax − (1 − ε) · [target] − ε / classes), 0 where the target is ignored.
void softmax_loss_backward(const SoftmaxLoss& problem, const SoftmaxStatistics* statistics,
                           const float* scales, void* grad_logits, const Workers& workers);

struct SoftmaxRow {
  const void* logits = nullptr;
  DataType type = DataType::kFloat32;
  int64_t classes = 0;
};

// log Σ e^x of one row.
double log_sum_exp(const SoftmaxRow& row);

// ---- one table for each instruction set ----

struct SoftmaxSums {
  float largest = 0;
  float exponentials = 0;  // Σ e^(x − largest)
  float logits = 0;        // Σ (x − largest)
};
struct SoftmaxGradient {
  SoftmaxRow row;
  float largest = 0;
  float factor = 0;  // of e^(x − largest)
  float shift = 0;   // added to each element
  void* to = nullptr;
};
struct SoftmaxLossTable {
  SoftmaxSums (*forward)(const SoftmaxRow& row) = nullptr;
  void (*backward)(const SoftmaxGradient& task) = nullptr;
};

HEED_TABLES(SoftmaxLossTable, kSoftmaxLossTable);

}  // namespace heed::kernels
