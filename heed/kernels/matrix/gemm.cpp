#include "heed/kernels/matrix/gemm.h"

#include <algorithm>

#include "heed/kernels/arithmetic.h"
#include "heed/kernels/matrix/gemm_table.h"
#include "heed/kernels/matrix/spare_words.h"
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

constexpr int64_t kVectorRoom = 16;  // words that packing may write behind its end

bool as_pairs(DataType operand) {
  return operand == DataType::kBFloat16 && gemm_table().multiplies_pairs;
}

int64_t words_of(int64_t depth, bool pairs) { return pairs ? div_up(depth, 2) : depth; }

const char* element(const ConstMatrix& m, int64_t row, int64_t column) {
  const int64_t bytes = bytes_of(m.type);
  return static_cast<const char*>(m.data) + (row * m.row_stride + column * m.column_stride) * bytes;
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

// What the tasks of one product share.
struct Product {
  explicit Product(const GemmProblem& p)
      : problem(p),
        table(gemm_table()),
        a(p.a),
        b(*p.packed),
        pairs(as_pairs(b.operand())),
        words(words_of(b.depth(), pairs)) {}

  const GemmProblem& problem;
  const GemmTable& table;
  const ConstMatrix& a;
  const PackedMatrix& b;
  bool pairs;
  int64_t words;  // of depth

  double operations() const {
    return 2.0 * static_cast<double>(a.rows) * static_cast<double>(b.columns()) *
           static_cast<double>(b.depth());
  }
  const char* a_at(int64_t row, int64_t word) const {
    return element(a, row, word * (pairs ? 2 : 1));
  }
  // Words of a packed panel of A over `count` words of depth.
  int64_t a_panel_words(int64_t count) const { return count * table.rows + kVectorRoom; }

  // Calls body(word, count) for each block of the depth: at least once, so that a depth of 0 gives
  // activation(bias).
  template <typename Body>
  void for_each_block(const Body& body) const {
    for (int64_t word = 0; word == 0 || word < words; word += kDepthBlock) {
      body(word, std::min(kDepthBlock, words - word));
    }
  }

  // Rows of A from `row` on over one block of the depth.
  struct BlockOfA {
    int64_t row;
    int64_t rows;
    int64_t word;
    int64_t words;
  };
  void pack(const BlockOfA& block, int64_t panel_words, uint32_t* to) const {
    const int64_t per_word = pairs ? 2 : 1;
    table.pack({.data = a_at(block.row, block.word),
                .type = a.type,
                .width_stride = a.row_stride,
                .depth_stride = a.column_stride,
                .width = block.rows,
                .readable = a.rows - block.row,
                .depth = std::min(block.words * per_word, b.depth() - block.word * per_word),
                .panel_width = table.rows,
                .panel_words = panel_words,
                .pairs = pairs,
                .to = to});
  }

  // The tile of that block and of the panels of B from `panel` on, A read where it lies.
  GemmTile tile(const BlockOfA& block, int64_t panel, int64_t panels) const {
    return {.a = a_at(block.row, block.word),
            .a_row_stride = a.row_stride,
            .b = b.panel(panel) + block.word * table.columns,
            .b_panel_words = b.panel_words(),
            .words = block.words,
            .pairs = pairs,
            .rows = block.rows,
            .panels = panels,
            .first = block.word == 0,
            .last = block.word + block.words == words,
            .c = problem.c,
            .epilogue = problem.epilogue,
            .row = block.row,
            .column = panel * table.columns,
            .columns = b.columns()};
  }
};

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
  words_ = spare_words(panel_words_ * panels * 4);
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

namespace {

// A of few rows, block of the depth after block; null where it is read in place.
std::shared_ptr<uint32_t[]> packed_rows(const Product& p, int64_t block_words,
                                        int64_t panel_words) {
  if (is_read_in_place(p.a, p.pairs)) return nullptr;
  const int64_t blocks = std::max<int64_t>(1, div_up(p.words, kDepthBlock));
  auto packed = spare_words(blocks * block_words * 4);
  p.for_each_block([&](int64_t word, int64_t words) {
    p.pack({0, p.a.rows, word, words}, panel_words,
           packed.get() + word / kDepthBlock * block_words);
  });
  return packed;
}

void few_row_gemm(const Product& p, const Workers& workers) {
  const int64_t row_panels = div_up(p.a.rows, p.table.rows);
  const int64_t panel_words = p.a_panel_words(std::min(p.words, kDepthBlock));
  const int64_t block_words = row_panels * panel_words;
  const auto packed_a = packed_rows(p, block_words, panel_words);
  const int64_t panels = div_up(p.b.columns(), p.table.columns);
  constexpr int64_t kMostPanels = 16;
  const int64_t step = std::clamp<int64_t>(div_up(panels, 8 * workers.count()), 1, kMostPanels);
  for_each_task(workers, div_up(panels, step), p.operations(), [&](int64_t task) {
    float* const partial =
        thread_scratch().take_alone<float>(row_panels * p.table.rows * p.table.columns);
    for (int64_t panel = task * step; panel < std::min(panels, (task + 1) * step); ++panel) {
      p.for_each_block([&](int64_t word, int64_t words) {
        GemmTile tile = p.tile({0, p.a.rows, word, words}, panel, 1);
        if (packed_a != nullptr) {
          tile.a = packed_a.get() + word / kDepthBlock * block_words;
          tile.a_packed = true;
          tile.a_panel_words = panel_words;
        }
        tile.partial = partial;
        tile.partial_stride = p.table.columns;
        p.table.tile(tile);
      });
    }
  });
}

// Packs a block of A, and adds it to the sums of its rows where these are wanted.
void pack_block(const Product& p, const Product::BlockOfA& block, float* sums, uint32_t* to) {
  const int64_t panel_words = p.a_panel_words(block.words);
  p.pack(block, panel_words, to);
  if (sums == nullptr) return;
  for (int64_t i = 0; i < block.rows; i += p.table.rows) {
    p.table.row_sums({.panel = to + i / p.table.rows * panel_words,
                      .words = block.words,
                      .pairs = p.pairs,
                      .count = static_cast<int>(std::min<int64_t>(p.table.rows, block.rows - i)),
                      .sums = sums + i});
  }
}

// One tile of C, over all of the depth.
void run_tile(const Product& p, const Tiling& tiling, int64_t task) {
  const GemmTable& table = p.table;
  const int64_t row = task / tiling.tiles_across * tiling.tile_rows;
  const int64_t rows = std::min(tiling.tile_rows, p.a.rows - row);
  const int64_t first_panel = task % tiling.tiles_across * tiling.tile_panels;
  const int64_t panels =
      std::min(tiling.tile_panels, div_up(p.b.columns(), table.columns) - first_panel);
  const bool in_place = is_read_in_place(p.a, p.pairs) && p.problem.row_sums == nullptr;
  const int64_t partial_stride = tiling.tile_panels * table.columns;
  float* partial = nullptr;
  uint32_t* packed_a = nullptr;
  Scratch& scratch = thread_scratch();
  scratch.hand_out([&] {
    partial = scratch.take<float>(round_up(tiling.tile_rows * partial_stride, kVectorRoom));
    packed_a = scratch.take<uint32_t>(
        in_place ? 0
                 : tiling.tile_rows / table.rows * p.a_panel_words(std::min(p.words, kDepthBlock)));
  });
  float* const sums =
      first_panel == 0 && p.problem.row_sums != nullptr ? p.problem.row_sums + row : nullptr;
  if (sums != nullptr) std::fill_n(sums, rows, 0.0F);

  p.for_each_block([&](int64_t word, int64_t words) {
    const Product::BlockOfA block{row, rows, word, words};
    GemmTile tile = p.tile(block, first_panel, panels);
    if (!in_place) {
      pack_block(p, block, sums, packed_a);
      tile.a = packed_a;
      tile.a_packed = true;
    }
    tile.a_panel_words = p.a_panel_words(words);
    tile.partial = partial;
    tile.partial_stride = partial_stride;
    table.tile(tile);
  });
}

}  // namespace

void gemm(const GemmProblem& problem, const Workers& workers) {
  const Product p(problem);
  if (has_few_rows(problem)) return few_row_gemm(p, workers);
  const Tiling tiling = cut(p.a.rows, p.b.columns(), p.b.depth(), workers.count());
  for_each_task(workers, tiling.tiles_down * tiling.tiles_across, p.operations(),
                [&](int64_t task) { run_tile(p, tiling, task); });
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
