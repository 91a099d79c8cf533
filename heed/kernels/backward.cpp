// The backward pass of the tile engine, in one sweep: a task is a block of keys of one key head and
// walks all blocks of queries that have to do with it; see backward_leaf.h for a tile.
//
// dK and dV are sums of one task. dQ is a sum over tasks: each adds to a block of queries when all
// blocks of keys before it have (Turnstiles), so the bits do not depend on the number of threads.
// Tasks are ordered by block of keys first: neighbours are then of different heads where there are
// several, and do not wait for each other.
#include <algorithm>
#include <cmath>
#include <limits>

#include "heed/kernels/backward_sums.h"
#include "heed/kernels/backward_task.h"
#include "heed/kernels/block_list.h"
#include "heed/kernels/engine.h"
#include "heed/kernels/scratch.h"
#include "heed/kernels/tasks.h"
#include "heed/kernels/tile_setup.h"

namespace heed::kernels {
namespace {

constexpr double kLog2E = 1.44269504088896340736;
constexpr int64_t kRowsAtOnce = 256;

// Per row: delta and log-sum-exp in log2 units; and dQ starts at zero.
void prepare_rows(BackwardPass& pass, int64_t batch, int64_t head, Range rows) {
  const Shape& s = pass.problem.shape;
  const int64_t first = (batch * s.heads + head) * s.queries + rows.begin;
  float* delta = pass.delta.data() + first;
  const int count = static_cast<int>(rows.size());
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
    pass.log_sum[at] = static_cast<float>(log_sum);
    pass.log_sum_rest[at] = empty ? 0 : static_cast<float>(log_sum - pass.log_sum[at]);
    if (empty) delta[i] = 0;
    if (pass.grad_query.data != nullptr) {
      float* row = pass.grad_query_row(batch, head, rows.begin + i);
      std::fill_n(row, s.size, 0.0F);
    }
  }
}

// dQ of a bfloat16 problem was summed in float32.
void convert_grad_query(const BackwardPass& pass, int64_t batch, int64_t head) {
  const Shape& s = pass.problem.shape;
  const MutableArray& out = pass.args.grad_query;
  uint16_t* to = static_cast<uint16_t*>(out.data) + batch * out.batch + head * out.head;
  pass.setup.table().store_rows(pass.grad_query_row(batch, head, 0), pass.grad_query.row, 1,
                                static_cast<int>(s.queries), static_cast<int>(s.size),
                                DataType::kBFloat16, to, out.row);
}

void clear_key_gradients(const BackwardArgs& args, const Problem& problem) {
  const Shape& s = problem.shape;
  const int64_t bytes = problem.type == DataType::kFloat32 ? 4 : 2;
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

}  // namespace

void tile_backward(const Problem& problem, const BackwardArgs& args, const Workers& workers) {
  const Shape& s = problem.shape;
  const TileSetup setup(problem, workers);
  BackwardPass pass(problem, args, setup);
  const int64_t row_blocks = block_count(s.queries, kRowsAtOnce);
  const double rows = static_cast<double>(s.batch * s.heads * s.queries);
  for_each_task(workers, s.batch * s.heads * row_blocks, 4 * rows * static_cast<double>(s.size),
                [&](int64_t task) {
                  const int64_t slice = task / row_blocks;
                  prepare_rows(pass, slice / s.heads, slice % s.heads,
                               block_range(task % row_blocks, kRowsAtOnce, s.queries));
                });
  if (s.queries == 0) clear_key_gradients(args, problem);
  const int64_t slices = s.batch * s.key_heads;
  const double operations =
      5.0 * rows * static_cast<double>(s.keys) * static_cast<double>(s.size + s.value_size);
  if (s.queries > 0) {
    for_each_task(workers, pass.key_blocks * slices, operations, [&](int64_t task) {
      const int64_t slice = task % slices;
      try {
        BackwardTask(pass).run(slice / s.key_heads, slice % s.key_heads, task / slices);
      } catch (...) {
        pass.stop();
        throw;
      }
    });
  }
  pass.sums.finish();
  if (!pass.grad_query_floats.empty() && args.grad_query.data != nullptr) {
    for_each_task(
        workers, s.batch * s.heads, rows * static_cast<double>(s.size),
        [&](int64_t slice) { convert_grad_query(pass, slice / s.heads, slice % s.heads); });
  }
}

}  // namespace heed::kernels
