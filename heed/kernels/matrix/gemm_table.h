// The leaf functions of gemm.h, compiled once for each instruction set (gemm_leaf.h).
//
// Operands are laid out in 32-bit words along the depth: a word is one float32, or two consecutive
// bfloat16. A panel is `width` rows of A (or columns of B) by some words of depth, [word][width].
#pragma once

#include <cstdint>

#include "heed/kernels/matrix/gemm.h"
#include "heed/kernels/vector/isa.h"

namespace heed::kernels {

// Writes consecutive panels. `data` is the element at width 0, depth 0; one of the strides is 1.
// Missing width and an odd end of depth are filled with 0.
struct GemmPack {
  const void* data = nullptr;
  DataType type = DataType::kFloat32;
  int64_t width_stride = 0;
  int64_t depth_stride = 0;
  int64_t width = 0;     // how many are there, in all panels
  int64_t readable = 0;  // how many may be read at a depth, at least width; for width_stride 1
  int64_t depth = 0;
  int panel_width = 0;
  int64_t panel_words = 0;  // from one panel to the next; room for a vector between panels
                            // narrower than one
  bool pairs = false;       // words of two bfloat16
  uint32_t* to = nullptr;
};

// sums[i] += Σ over the words of a packed panel of A.
struct GemmRowSums {
  const uint32_t* panel = nullptr;
  int64_t words = 0;
  bool pairs = false;
  int count = 0;  // rows there are
  float* sums = nullptr;
};

// One tile of C: `rows` by `panels` panels of B, over one block of the depth.
struct GemmTile {
  const void* a = nullptr;  // row-major with row_stride elements, or panels [word][table.rows]
  bool a_packed = false;
  int64_t a_row_stride = 0;
  int64_t a_panel_words = 0;
  const uint32_t* b = nullptr;  // the first panel at the first word of this block
  int64_t b_panel_words = 0;
  int64_t words = 0;  // of depth
  bool pairs = false;
  int64_t rows = 0;
  int64_t panels = 0;
  bool first = false;        // no sums yet in `partial`
  bool last = false;         // write C
  float* partial = nullptr;  // (rows, partial_stride): sums of the blocks so far
  int64_t partial_stride = 0;
  // Of the whole product, for the last block.
  MutableMatrix c;
  GemmEpilogue epilogue;
  int64_t row = 0;  // of C, of the tile's first element
  int64_t column = 0;
  int64_t columns = 0;  // of C
};

// `columns` columns of C, from `column` on.
struct FewRowsTask {
  const FewRowsProblem* problem = nullptr;
  int64_t column = 0;
  int64_t columns = 0;
};

struct GemmTable {
  int rows = 0;                   // of a panel of A
  int columns = 0;                // of a panel of B
  bool multiplies_pairs = false;  // has a bfloat16 dot product
  void (*pack)(const GemmPack& task) = nullptr;
  void (*row_sums)(const GemmRowSums& task) = nullptr;
  void (*tile)(const GemmTile& task) = nullptr;
  void (*few_rows)(const FewRowsTask& task) = nullptr;
  void (*activation_gradient)(const ActivationGradient& task) = nullptr;
};

const GemmTable& gemm_table();

HEED_TABLES(GemmTable, kGemmTable);

}  // namespace heed::kernels
