// The backward pass of the tile engine, in one sweep: a task is a block of keys of one key head and
// walks all blocks of queries that have to do with it; see backward_leaf.h for a tile.
//
// dK and dV are sums of one task. dQ is a sum over tasks: each adds to a block of queries when all
// blocks of keys before it have (Turnstiles), so the bits do not depend on the number of threads.
// Tasks are ordered by block of keys first: neighbours are then of different heads where there are
// several, and do not wait for each other.
//
// dQ in bfloat16 is summed in float32 beside it. Only as many heads are in flight at a time (a
// wave) as have room for that, so that the memory it takes does not grow with the number of heads.
#include <algorithm>
#include <cmath>
#include <limits>

#include "heed/kernels/arithmetic.h"
#include "heed/kernels/attention/engine.h"
#include "heed/kernels/attention/patterns/block_list.h"
#include "heed/kernels/attention/tiles/backward_sums.h"
#include "heed/kernels/attention/tiles/backward_task.h"
#include "heed/kernels/attention/tiles/setup.h"
#include "heed/kernels/vector/scratch.h"
#include "heed/kernels/vector/sharing.h"

namespace heed::kernels {
namespace {

constexpr int64_t kRowsAtOnce = 256;

// The log-sum-exp of a row in log2 units, in two parts.
struct LogSum {
  float whole;
  float rest;
};

// `log_sum` has 48 good bits, which is too few for huge logits. Then the sum is far below the last
// place of the largest score, so that this score can be told (the nearest float32), and its product
// with `factor` fits in two parts exactly.
LogSum log_sum_in_parts(double log_sum, double factor) {
  constexpr double kHuge = 0x1p29;
  constexpr double kUnknown =
      0x1p40;  // where nothing is left of the sum: taken for that of one key
  const double size = std::abs(log_sum);
  if (size >= kHuge && std::isfinite(log_sum)) {
    const double top = static_cast<float>(log_sum / factor) * factor;
    const double of_sum = log_sum - top;
    log_sum = top + (size < kUnknown && of_sum > 0.5 ? of_sum : 0);
  }
  const auto whole = static_cast<float>(log_sum);
  return {whole, std::isfinite(log_sum) ? static_cast<float>(log_sum - whole) : 0};
}

// Per row: delta and log-sum-exp in log2 units; and dQ starts at zero.
void prepare_rows(BackwardPass& pass, int64_t batch, int64_t head, Range rows) {
  const Shape& s = pass.problem.shape;
  const int64_t first = (batch * s.heads + head) * s.queries + rows.begin;
  float* delta = pass.delta.data() + first;
  const int count = static_cast<int>(rows.size());
  const HeadScore score = pass.setup.head_score(batch, head);
  const double factor = score.is_plain ? score.modifiers.scale * static_cast<float>(kLog2E) : 1;
  pass.setup.table().row_dots(pass.setup.rows_of(pass.args.grad_output, batch, head, rows.begin),
                              pass.setup.rows_of(pass.args.output, batch, head, rows.begin),
                              pass.problem.type, count, static_cast<int>(s.value_size), delta);
  for (int64_t i = 0; i < rows.size(); ++i) {
    const float lse = pass.args.log_sum_exp[first + i];
    if (pass.args.grad_log_sum_exp != nullptr) delta[i] -= pass.args.grad_log_sum_exp[first + i];
    const bool empty = lse == -std::numeric_limits<float>::infinity();
    // exp2(score − ∞) = 0: an empty row has weights 0.
    double log_sum = lse;
    if (pass.args.log_sum_exp_rest != nullptr) log_sum += pass.args.log_sum_exp_rest[first + i];
    log_sum = empty ? std::numeric_limits<double>::infinity() : log_sum * kLog2E;
    const auto at = static_cast<size_t>(first + i);
    const LogSum parts = log_sum_in_parts(log_sum, factor);
    pass.log_sum[at] = parts.whole;
    pass.log_sum_rest[at] = parts.rest;
    if (empty) delta[i] = 0;
    if (pass.grad_query.data != nullptr) {
      float* row = pass.grad_query_row(batch, head, rows.begin + i);
      std::fill_n(row, s.size, 0.0F);
    }
  }
}

// dQ of a bfloat16 problem was summed in float32.
void convert_grad_query(const BackwardPass& pass, int64_t batch, int64_t head, Range rows) {
  const MutableArray& out = pass.args.grad_query;
  uint16_t* to =
      static_cast<uint16_t*>(out.data) + batch * out.batch + head * out.head + rows.begin * out.row;
  pass.setup.table().store_rows(pass.grad_query_row(batch, head, rows.begin), pass.grad_query.row,
                                1, static_cast<int>(rows.size()),
                                static_cast<int>(pass.problem.shape.size), DataType::kBFloat16, to,
                                out.row);
}

void clear_key_gradients(const BackwardArgs& args, const Problem& problem) {
  const Shape& s = problem.shape;
  const int64_t bytes = bytes_of(problem.type);
  const auto clear = [&](const MutableArray& a, int64_t size) {
    if (a.data == nullptr) return;
    for (int64_t b = 0; b < s.batch; ++b) {
      for (int64_t h = 0; h < s.key_heads; ++h) {
        for (int64_t j = 0; j < s.keys; ++j) {
          char* row = static_cast<char*>(a.data) + (b * a.batch + h * a.head + j * a.row) * bytes;
          std::fill_n(row, size * bytes, char{0});
        }
      }
    }
  };
  clear(args.grad_key, s.size);
  clear(args.grad_value, s.value_size);
}

// Calls body(batch, head, rows) for some rows of each head of the slices after another.
template <typename Body>
void for_each_rows(const BackwardPass& pass, Range slices, const Workers& workers,
                   const Body& body) {
  const Shape& s = pass.problem.shape;
  const int64_t row_blocks = div_up(s.queries, kRowsAtOnce);
  const int64_t group = s.heads / s.key_heads;
  const int64_t heads = slices.size() * group;
  const auto numbers = static_cast<double>(heads * s.queries * s.size);
  for_each_task(workers, heads * row_blocks, 4 * numbers, [&](int64_t task) {
    const int64_t head = slices.begin * group + task / row_blocks;
    body(head / s.heads, head % s.heads, block_range(task % row_blocks, kRowsAtOnce, s.queries));
  });
}

void run_wave(BackwardPass& pass, Range slices, const Workers& workers) {
  const Shape& s = pass.problem.shape;
  pass.begin_wave(slices.begin);
  for_each_rows(pass, slices, workers, [&](int64_t batch, int64_t head, Range rows) {
    prepare_rows(pass, batch, head, rows);
  });
  const double operations = 5.0 * static_cast<double>(slices.size() * s.heads / s.key_heads) *
                            static_cast<double>(s.queries * s.keys) *
                            static_cast<double>(s.size + s.value_size);
  for_each_task(workers, pass.key_blocks * slices.size(), operations, [&](int64_t task) {
    const int64_t slice = slices.begin + task % slices.size();
    try {
      BackwardTask(pass).run(slice / s.key_heads, slice % s.key_heads, task / slices.size());
    } catch (...) {
      pass.stop();
      throw;
    }
  });
  if (!pass.sums_apart()) return;
  for_each_rows(pass, slices, workers, [&](int64_t batch, int64_t head, Range rows) {
    convert_grad_query(pass, batch, head, rows);
  });
}

}  // namespace

void tile_backward(const Problem& problem, const BackwardArgs& args, const Workers& workers) {
  const Shape& s = problem.shape;
  const TileSetup setup(problem, workers);
  BackwardPass pass(problem, args, setup);
  if (s.queries == 0) {
    clear_key_gradients(args, problem);
  } else {
    for (int64_t first = 0; first < s.batch * s.key_heads; first += pass.wave) {
      run_wave(pass, {first, std::min(first + pass.wave, s.batch * s.key_heads)}, workers);
    }
  }
  pass.sums.finish();
}

}  // namespace heed::kernels
