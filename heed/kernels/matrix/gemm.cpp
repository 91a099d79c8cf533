#include "heed/kernels/matrix/gemm.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "heed/base/large_pages.h"
#include "heed/kernels/arithmetic.h"
#include "heed/kernels/matrix/gemm_table.h"
#include "heed/kernels/vector/scratch.h"
#include "heed/kernels/vector/sharing.h"

namespace heed::kernels {
namespace {

// Words of depth that are summed before they are added to the sums so far: a panel of B and one of
// A of this depth fit the first-level cache together. Part of the result's definition.
constexpr int64_t kDepthBlock = 256;

// Sizes of a tile: its partial sums and its part of A stay in the second-level cache.
constexpr int64_t kTileRows = 96;
constexpr int64_t kTileColumns = 1024;

// From this depth on B is too large for any cache, and is read once for every row of tiles: the
// gradient of a weight over many rows.
constexpr int64_t kLongDepth = 16384;

// A task of packing: so many panels of B, and so much of the depth (even).
constexpr int64_t kPackPanels = 2;
constexpr int64_t kPackDepth = 256;

constexpr int64_t kLine = 64;        // bytes
constexpr int64_t kVectorRoom = 16;  // words that packing may write behind its end

bool as_pairs(DataType operand) {
  return operand == DataType::kBFloat16 && gemm_table().multiplies_pairs;
}

int64_t words_of(int64_t depth, bool pairs) { return pairs ? div_up(depth, 2) : depth; }

const char* element(const ConstMatrix& m, int64_t row, int64_t column) {
  const int64_t bytes = bytes_of(m.type);
  return static_cast<const char*>(m.data) + (row * m.row_stride + column * m.column_stride) * bytes;
}

// Memory for a packed matrix. A training step packs the same sizes again and again: the memory
// last given back by this thread is kept, so that its pages need not be asked for anew each time.
constexpr int64_t kLargestSpare = int64_t{64} << 20;

struct Spare {
  uint32_t* words = nullptr;
  int64_t bytes = 0;
  Spare() = default;
  Spare(const Spare&) = delete;
  Spare& operator=(const Spare&) = delete;
  ~Spare() { std::free(words); }
};
Spare& spare() {
  thread_local Spare mine;
  return mine;
}

std::shared_ptr<uint32_t[]> spare_words(int64_t bytes) {
  Spare& kept = spare();
  // Memory twice as large as needed is left for the matrix that needs it.
  uint32_t* words = nullptr;
  int64_t size = bytes;
  if (kept.bytes >= bytes && kept.bytes <= 2 * bytes) {
    words = std::exchange(kept.words, nullptr);
    size = std::exchange(kept.bytes, 0);
  } else {
    words = static_cast<uint32_t*>(std::aligned_alloc(kLine, static_cast<size_t>(bytes)));
    if (words == nullptr) throw std::bad_alloc();
    prefer_large_pages(words, static_cast<size_t>(bytes));
  }
  return {words, [size](uint32_t* p) {
            Spare& place = spare();
            if (size > place.bytes && size <= kLargestSpare) {
              std::swap(p, place.words);
              place.bytes = size;
            }
            std::free(p);
          }};
}

// How C is cut into tiles; any way gives the same bits.
struct Tiling {
  int64_t tile_rows = 0;    // whole panels of A
  int64_t tile_panels = 0;  // of B
  int64_t tiles_down = 0;
  int64_t tiles_across = 0;
};

Tiling cut(int64_t rows, int64_t columns, int64_t depth, int workers) {
  const GemmTable& table = gemm_table();
  const int64_t row_panels = div_up(rows, table.rows);
  const int64_t column_panels = div_up(columns, table.columns);
  Tiling t;
  int64_t down = std::min(row_panels, std::max<int64_t>(1, kTileRows / table.rows));
  int64_t across = std::min(column_panels, std::max<int64_t>(1, kTileColumns / table.columns));
  const auto tiles = [&] { return div_up(row_panels, down) * div_up(column_panels, across); };
  if (workers > 1) {
    // Several tiles for each worker, so that all end at nearly the same time.
    const int64_t wanted = (depth >= kLongDepth ? 2 : 6) * workers;
    // A panel of B is fetched once for all rows of a tile, so tiles stay several panels high for
    // as long as they can be made narrower.
    const auto halve = [&](int64_t& side, int64_t least) {
      while (tiles() < wanted && side > least) side = std::max(least, div_up(side, 2));
    };
    halve(down, 4);
    halve(across, 4);
    halve(down, 1);
    halve(across, 1);
  }
  t.tile_rows = down * table.rows;
  t.tile_panels = across;
  t.tiles_down = div_up(row_panels, down);
  t.tiles_across = div_up(column_panels, across);
  return t;
}

// A product of so few rows that B passes through once, from memory: panel after panel, in the order
// in which they lie there. A, all of its depth, stays in the cache.
constexpr int64_t kFewRows = 36;
constexpr int64_t kFewRowsBytes = 512 << 10;  // of A

bool has_few_rows(const GemmProblem& p) {
  return p.a.rows <= kFewRows && p.a.rows * p.a.columns * 4 <= kFewRowsBytes &&
         p.row_sums == nullptr;
}

// Whether A is read where it lies: its words are what the kernel multiplies, and its rows do not
// all fall into one set of the first-level cache.
bool is_read_in_place(const ConstMatrix& a, bool pairs) {
  constexpr int64_t kSetBytes = 4096;
  return a.column_stride == 1 && (a.type == DataType::kBFloat16) == pairs &&
         (!pairs || a.columns % 2 == 0) && a.row_stride * (pairs ? 2 : 4) % kSetBytes != 0;
}

}  // namespace

const GemmTable& gemm_table() { return HEED_PICK_ISA(kGemmTable); }

PackedMatrix::PackedMatrix(const ConstMatrix& b, DataType operand, const Workers& workers)
    : depth_(b.rows),
      columns_(b.columns),
      operand_(operand),
      isa_(static_cast<int>(current_isa())) {
  const GemmTable& table = gemm_table();
  const bool pairs = as_pairs(operand);
  panel_words_ = words_of(depth_, pairs) * table.columns;
  const int64_t panels = div_up(columns_, table.columns);
  const int64_t bytes = round_up(std::max<int64_t>(panel_words_ * panels * 4, 1), kLine);
  words_ = spare_words(bytes);
  const int64_t groups = div_up(panels, kPackPanels);
  const int64_t chunks = std::max<int64_t>(1, div_up(depth_, kPackDepth));
  const double moved = static_cast<double>(depth_) * static_cast<double>(columns_);
  for_each_task(workers, groups * chunks, 30 * moved, [&](int64_t task) {
    const int64_t panel = task % groups * kPackPanels;
    const int64_t row = task / groups * kPackDepth;
    const int64_t column = panel * table.columns;
    table.pack({.data = element(b, row, column),
                .type = b.type,
                .width_stride = b.column_stride,
                .depth_stride = b.row_stride,
                .width = std::min(kPackPanels * table.columns, columns_ - column),
                .readable = columns_ - column,
                .depth = std::min(kPackDepth, depth_ - row),
                .panel_width = table.columns,
                .panel_words = panel_words_,
                .pairs = pairs,
                .to = words_.get() + panel * panel_words_ + words_of(row, pairs) * table.columns});
  });
}

int64_t PackedMatrix::bytes() const {
  return panel_words_ * div_up(columns_, gemm_table().columns) * 4;
}

bool PackedMatrix::fits() const { return isa_ == static_cast<int>(current_isa()); }

const uint32_t* PackedMatrix::panel(int64_t number) const {
  return words_.get() + number * panel_words_;
}

void few_row_gemm(const GemmProblem& problem, const Workers& workers) {
  const GemmTable& table = gemm_table();
  const PackedMatrix& b = *problem.packed;
  const ConstMatrix& a = problem.a;
  const bool pairs = as_pairs(b.operand());
  const int64_t per_word = pairs ? 2 : 1;
  const int64_t total_words = words_of(b.depth(), pairs);
  const int64_t row_panels = div_up(a.rows, table.rows);
  const int64_t block_words = std::min(total_words, kDepthBlock);
  const int64_t panel_words = block_words * table.rows + kVectorRoom;  // of a panel of A

  std::shared_ptr<uint32_t[]> packed_a;
  if (!is_read_in_place(a, pairs)) {
    const int64_t blocks = std::max<int64_t>(1, div_up(total_words, kDepthBlock));
    packed_a = spare_words(round_up(blocks * row_panels * panel_words * 4, kLine));
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t k = block * kDepthBlock * per_word;
      table.pack({.data = element(a, 0, k),
                  .type = a.type,
                  .width_stride = a.row_stride,
                  .depth_stride = a.column_stride,
                  .width = a.rows,
                  .readable = a.rows,
                  .depth = std::min(kDepthBlock * per_word, b.depth() - k),
                  .panel_width = table.rows,
                  .panel_words = panel_words,
                  .pairs = pairs,
                  .to = packed_a.get() + block * row_panels * panel_words});
    }
  }

  const int64_t panels = div_up(b.columns(), table.columns);
  constexpr int64_t kMostPanels = 16;
  const int64_t step = std::clamp<int64_t>(div_up(panels, 8 * workers.count()), 1, kMostPanels);
  const double operations = 2.0 * static_cast<double>(a.rows) * static_cast<double>(b.columns()) *
                            static_cast<double>(b.depth());
  for_each_task(workers, div_up(panels, step), operations, [&](int64_t task) {
    GemmTile tile{
        .a_packed = packed_a != nullptr,
        .a_row_stride = a.row_stride,
        .a_panel_words = panel_words,
        .b_panel_words = b.panel_words_,
        .pairs = pairs,
        .rows = a.rows,
        .panels = 1,
        .partial = thread_scratch().take_alone<float>(row_panels * table.rows * table.columns),
        .partial_stride = table.columns,
        .c = problem.c,
        .epilogue = problem.epilogue,
        .columns = b.columns()};
    for (int64_t panel = task * step; panel < std::min(panels, (task + 1) * step); ++panel) {
      tile.column = panel * table.columns;
      for (int64_t word = 0; word == 0 || word < total_words; word += kDepthBlock) {
        tile.words = std::min(kDepthBlock, total_words - word);
        tile.a = packed_a != nullptr
                     ? static_cast<const void*>(packed_a.get() +
                                                word / kDepthBlock * row_panels * panel_words)
                     : element(a, 0, word * per_word);
        tile.b = b.panel(panel) + word * table.columns;
        tile.first = word == 0;
        tile.last = word + tile.words == total_words;
        table.tile(tile);
      }
    }
  });
}

void gemm(const GemmProblem& problem, const Workers& workers) {
  if (has_few_rows(problem)) return few_row_gemm(problem, workers);
  const GemmTable& table = gemm_table();
  const PackedMatrix& b = *problem.packed;
  const ConstMatrix& a = problem.a;
  const bool pairs = as_pairs(b.operand());
  const int64_t per_word = pairs ? 2 : 1;
  const int64_t total_words = words_of(b.depth(), pairs);
  const bool in_place = is_read_in_place(a, pairs) && problem.row_sums == nullptr;
  const Tiling tiling = cut(a.rows, b.columns(), b.depth(), workers.count());
  const int64_t partial_stride = tiling.tile_panels * table.columns;
  const int64_t partial_words = round_up(tiling.tile_rows * partial_stride, kVectorRoom);
  const int64_t block_words = std::min(total_words, kDepthBlock);
  const int64_t a_words =
      in_place ? 0 : tiling.tile_rows / table.rows * (block_words * table.rows + kVectorRoom);

  const double operations = 2.0 * static_cast<double>(a.rows) * static_cast<double>(b.columns()) *
                            static_cast<double>(b.depth());
  for_each_task(workers, tiling.tiles_down * tiling.tiles_across, operations, [&](int64_t task) {
    const int64_t row = task / tiling.tiles_across * tiling.tile_rows;
    const int64_t first_panel = task % tiling.tiles_across * tiling.tile_panels;
    const int64_t rows = std::min(tiling.tile_rows, a.rows - row);
    const int64_t panels =
        std::min(tiling.tile_panels, div_up(b.columns(), table.columns) - first_panel);
    Scratch& scratch = thread_scratch();
    float* partial = nullptr;
    uint32_t* packed_a = nullptr;
    scratch.hand_out([&] {
      partial = scratch.take<float>(partial_words);
      packed_a = scratch.take<uint32_t>(a_words);
    });
    float* const sums = first_panel == 0 ? problem.row_sums : nullptr;
    if (sums != nullptr) std::fill_n(sums + row, rows, 0.0F);

    // At least once, so that a depth of 0 gives activation(bias).
    for (int64_t word = 0; word == 0 || word < total_words; word += kDepthBlock) {
      const int64_t words = std::min(kDepthBlock, total_words - word);
      GemmTile tile{.a = element(a, row, word * per_word),
                    .a_packed = !in_place,
                    .a_row_stride = a.row_stride,
                    .a_panel_words = words * table.rows + kVectorRoom,
                    .b = b.panel(first_panel) + word * table.columns,
                    .b_panel_words = b.panel_words_,
                    .words = words,
                    .pairs = pairs,
                    .rows = rows,
                    .panels = panels,
                    .first = word == 0,
                    .last = word + words == total_words,
                    .partial = partial,
                    .partial_stride = partial_stride,
                    .c = problem.c,
                    .epilogue = problem.epilogue,
                    .row = row,
                    .column = first_panel * table.columns,
                    .columns = b.columns()};
      if (!in_place) {
        table.pack({.data = element(a, row, word * per_word),
                    .type = a.type,
                    .width_stride = a.row_stride,
                    .depth_stride = a.column_stride,
                    .width = rows,
                    .readable = a.rows - row,
                    .depth = std::min(words * per_word, b.depth() - word * per_word),
                    .panel_width = table.rows,
                    .panel_words = tile.a_panel_words,
                    .pairs = pairs,
                    .to = packed_a});
        for (int64_t i = 0; sums != nullptr && i < rows; i += table.rows) {
          table.row_sums({.panel = packed_a + i / table.rows * tile.a_panel_words,
                          .words = words,
                          .pairs = pairs,
                          .count = static_cast<int>(std::min<int64_t>(table.rows, rows - i)),
                          .sums = sums + row + i});
        }
        tile.a = packed_a;
      }
      table.tile(tile);
    }
  });
}

void few_rows(const FewRowsProblem& problem, const Workers& workers) {
  const int64_t columns = problem.weight.rows;
  const int64_t row_bytes = std::max<int64_t>(1, problem.weight.columns * bytes_of(problem.a.type));
  // Long runs of memory for each task, as the CPU fetches ahead, but several tasks for each worker.
  constexpr int64_t kLeastBytes = 64 << 10, kMostBytes = 1 << 20;
  const int64_t task_bytes =
      std::clamp(columns * row_bytes / (8 * workers.count()), kLeastBytes, kMostBytes);
  const int64_t step = round_up(std::max<int64_t>(1, task_bytes / row_bytes), 16);
  const double operations = 16.0 * static_cast<double>(columns) * static_cast<double>(row_bytes);
  for_each_task(workers, div_up(columns, step), operations, [&](int64_t task) {
    const int64_t column = task * step;
    gemm_table().few_rows({&problem, column, std::min(step, columns - column)});
  });
}

void activation_gradient(const ActivationGradient& problem, const Workers& workers) {
  constexpr int64_t kStep = 16384;
  const int64_t bytes = bytes_of(problem.type);
  const double operations = 20.0 * static_cast<double>(problem.count);
  for_each_task(workers, div_up(problem.count, kStep), operations, [&](int64_t task) {
    ActivationGradient part = problem;
    const int64_t at = task * kStep * bytes;
    part.grad = static_cast<const char*>(problem.grad) + at;
    part.x = static_cast<const char*>(problem.x) + at;
    part.grad_before = static_cast<char*>(problem.grad_before) + at;
    part.count = std::min(kStep, problem.count - task * kStep);
    gemm_table().activation_gradient(part);
  });
}

}  // namespace heed::kernels
