// Dropout of single elements, with the sum of a residual stream in the same pass:
//
//   output = residual + x · kept / (1 − p)
//
// Srivastava et al. 2014. Whether element i is kept is a hash of (seed, i) alone (see dropout.h),
// so that the mask depends neither on threads nor on the direction of the pass, and the backward
// pass makes it again.
#pragma once

#include <cstdint>

#include "heed/base/workers.h"
#include "heed/kernels/data_type.h"
#include "heed/kernels/vector/dropout.h"
#include "heed/kernels/vector/isa.h"

namespace heed::kernels {

// Where the elements stand in a wider matrix: row by row, columns first … first + count − 1 of
// `whole`. count 0: nowhere else, element i is element i.
struct DropoutColumns {
  int64_t count = 0;
  int64_t first = 0;
  int64_t whole = 0;
};

struct ElementDropout {
  const void* x = nullptr;
  DataType type = DataType::kFloat32;  // of x
  const void* residual = nullptr;      // or null: 0
  DataType residual_type = DataType::kFloat32;
  void* output = nullptr;
  DataType output_type = DataType::kFloat32;
  int64_t count = 0;
  Dropout dropout;              // 0 < probability < 1
  DropoutColumns columns = {};  // the mask is that of the wider matrix
};
void element_dropout(const ElementDropout& problem, const Workers& workers);

// The one definition of the mask.
bool element_is_kept(const Dropout& dropout, int64_t element);

// ---- one table for each instruction set ----

// Elements that share a key.
inline constexpr int64_t kDropoutRun = 1024;

struct ElementDropoutTask {
  const ElementDropout* problem = nullptr;
  int64_t begin = 0;
  int64_t count = 0;  // elements of one run
  uint32_t run_key = 0;
  const uint32_t* place_keys = nullptr;  // (count)
  uint32_t threshold = 0;
  float factor = 1;
};
struct ElementDropoutTable {
  void (*apply)(const ElementDropoutTask& task) = nullptr;
};

HEED_TABLES(ElementDropoutTable, kElementDropoutTable);

}  // namespace heed::kernels
