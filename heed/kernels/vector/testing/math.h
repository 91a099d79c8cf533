// The vector functions of simd_math_leaf.h over arrays, one table for each instruction set.
#pragma once

#include <cstdint>

#include "heed/kernels/vector/isa.h"

namespace heed::kernels {

struct MathTable {
  void (*exp2)(const float* x, float* y, int64_t count);
  void (*log2)(const float* x, float* y, int64_t count);
  void (*tanh)(const float* x, float* y, int64_t count);
  // Rounds to nearest even.
  void (*to_bfloat16)(const float* x, uint16_t* y, int64_t count);
  void (*from_bfloat16)(const uint16_t* x, float* y, int64_t count);
};

// The table of the instruction set in use.
const MathTable& math_table();

HEED_TABLES(MathTable, kMathTable);

}  // namespace heed::kernels
