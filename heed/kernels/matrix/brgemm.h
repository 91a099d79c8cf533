// Products of bfloat16 matrices by code from elsewhere, for CPUs with a matrix unit (AMX): whoever
// has such code registers it (ops: torch's oneDNN), and the tile engine uses it for whole tiles
// under the instruction set "amx". Few shapes come, because such code is compiled for each shape.
#pragma once

#include <cstdint>

namespace heed::kernels {

// C (rows, columns) = A (rows, depth) · B (depth, columns), or is added to. Sums are float32.
struct BrgemmProduct {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t depth = 0;            // even
  const uint16_t* a = nullptr;  // bfloat16, consecutive along the depth
  int64_t a_stride = 0;
  const void* b = nullptr;  // (depth / 2, columns, 2) of bfloat16: pairs along the depth
  int64_t b_stride = 0;     // in pairs
  float* c = nullptr;
  int64_t c_stride = 0;
  bool adds = false;
};

struct Brgemm {
  void (*multiply)(const BrgemmProduct& product) = nullptr;
  // Called by a thread that multiplied when it is through with a task.
  void (*release)() = nullptr;
};

// What is registered must outlive every call of the kernels; null: nothing.
void set_brgemm(const Brgemm* functions);
const Brgemm* brgemm();

}  // namespace heed::kernels
