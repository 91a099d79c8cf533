// Layer normalisation and root-mean-square normalisation of the rows of a matrix, with the sum of a
// residual stream in the same pass.
//
//   s = x + residual
//   layer norm:  y = (s − mean(s)) · r · weight + bias,   r = 1 / √(variance(s) + ε)
//   RMS norm:    y = s · r · weight,                      r = 1 / √(mean(s²) + ε)
//
// Ba, Kiros & Hinton 2016, eq. 4; Zhang & Sennrich 2019, eq. 4. Statistics and sums in float32. The
// gradients of weight and bias are summed in blocks of rows that depend on the number of rows
// alone: the bits do not depend on the number of workers.
#pragma once

#include <cstdint>

#include "heed/base/workers.h"
#include "heed/kernels/data_type.h"
#include "heed/kernels/vector/isa.h"

namespace heed::kernels {

enum class NormFormula : uint8_t { kLayer, kRootMeanSquare };

// A (rows, width) matrix without gaps; no data: not there, or not wanted.
struct ConstRows {
  const void* data = nullptr;
  DataType type = DataType::kFloat32;
};
struct MutableRows {
  void* data = nullptr;
  DataType type = DataType::kFloat32;
};

struct NormSizes {
  NormFormula kind = NormFormula::kLayer;
  int64_t rows = 0;
  int64_t width = 0;  // at least 1
};

struct NormForward {
  NormSizes sizes;
  ConstRows x;
  ConstRows residual;
  const float* weight = nullptr;  // (width), or null: 1
  const float* bias = nullptr;    // (width), or null: 0
  float epsilon = 0;
  MutableRows sum;  // s, which is normalised as it is rounded there; with `residual` only
  MutableRows output;
  float* mean = nullptr;   // (rows); layer norm only
  float* scale = nullptr;  // (rows): r
};
void norm_forward(const NormForward& problem, const Workers& workers);

struct NormBackward {
  NormSizes sizes;
  ConstRows s;
  ConstRows grad_output;
  ConstRows grad_sum;  // what reaches s by other ways, or none
  const float* weight = nullptr;
  const float* mean = nullptr;
  const float* scale = nullptr;
  MutableRows grad_s;
  float* grad_weight = nullptr;  // (width), or null
  float* grad_bias = nullptr;    // (width), or null
};
void norm_backward(const NormBackward& problem, const Workers& workers);

// ---- one table for each instruction set ----

struct NormForwardTask {
  const NormForward* problem = nullptr;
  int64_t row = 0;
  int64_t rows = 0;
  float* buffer = nullptr;  // of one row
};
struct NormBackwardTask {
  const NormBackward* problem = nullptr;
  int64_t row = 0;
  int64_t rows = 0;
  float* buffer = nullptr;       // of eight rows, each padded to a multiple of 16
  float* grad_weight = nullptr;  // (width), added to
  float* grad_bias = nullptr;
};
struct NormTable {
  void (*forward)(const NormForwardTask& task) = nullptr;
  void (*backward)(const NormBackwardTask& task) = nullptr;
};

HEED_TABLES(NormTable, kNormTable);

}  // namespace heed::kernels
