// The gradients of what is learned beside query, key and value: sums over many tiles, always taken
// in the same order.
//
//   parameter, ALiBi slopes   a partial sum for each task and head, added up at the end
//   relative table, dense     added to in place by one task after the other (Turnstiles), tasks
//                             in the order of TaskOrder
#pragma once

#include <cstdint>
#include <vector>

#include "heed/kernels/attention/problem.h"
#include "heed/kernels/attention/tiles/setup.h"
#include "heed/kernels/attention/tiles/tile.h"
#include "heed/kernels/vector/sharing.h"

namespace heed::kernels {

// One head of one block of keys of one batch: the place in the order of additions.
struct SumPlace {
  int64_t batch = 0;
  int64_t head = 0;
  int64_t key_block = 0;
};

// Tasks run by wave of so many slices, in it by block of keys, then slice (batch, key head), then
// head.
struct TaskOrder {
  int64_t key_blocks = 0;
  int64_t query_blocks = 0;
  int64_t wave = 1;
};

class LearnedSums {
 public:
  // Clears the gradients that will be added to in place.
  LearnedSums(const Problem& problem, const BackwardArgs& args, const TileSetup& setup,
              const TaskOrder& order);

  bool any_dense() const { return args_.grad_dense != nullptr; }
  bool any_relative() const { return args_.grad_relative_table != nullptr; }
  int64_t relative_entries() const { return relative_entries_; }

  // Where a task adds; null where not wanted.
  float* parameter(const SumPlace& place);
  float* alibi(const SumPlace& place);

  // Adds the task's padded table (HeadScore::relative) for the distances lowest … highest, and what
  // lies beyond its reach. False where another worker failed.
  bool add_relative(const SumPlace& place, const BackwardSums& task, int64_t lowest,
                    int64_t highest);

  // Whether add_dense must be called for every block of queries, also where there is nothing.
  bool dense_in_turn() const { return any_dense() && !has_dense_columns(); }
  // Adds dS (kBackwardQueries, kBackwardKeys) of a tile; null: nothing, but the turn passes. The
  // first in turn writes.
  bool add_dense(const SumPlace& place, int64_t query_block, const float* tile, Range keys);
  // The same of a bias that is the same for every query: the sums of columns, after all tiles.
  bool has_dense_columns() const { return any_dense() && problem_.modifiers.dense.row == 0; }
  bool add_dense_columns(const SumPlace& place, const float* columns, Range keys);

  // After all tasks.
  void finish();
  void stop();

 private:
  int64_t partial_index(const SumPlace& place) const {
    return (place.head * problem_.shape.batch + place.batch) * key_blocks_ + place.key_block;
  }
  int64_t relative_turn(const SumPlace& place) const;
  int64_t dense_slot(const SumPlace& place) const;
  int64_t dense_turn(const SumPlace& place) const;
  float* dense_at(const SumPlace& place, int64_t row, int64_t key) const;

  const Problem& problem_;
  const BackwardArgs& args_;
  const TileTable& table_;
  int64_t parameters_;
  int64_t key_blocks_;
  int64_t query_blocks_;
  int64_t wave_;
  int64_t relative_entries_ = 0;
  std::vector<double> relative_sums_;  // (tables, 2 · reach + 1): many pairs share an entry
  bool dense_shared_ = false;          // by several heads or batches
  int64_t batches_ = 1;                // of the dense bias
  int64_t heads_ = 1;
  int64_t rows_ = 1;
  std::vector<float> parameter_partials_;
  std::vector<float> alibi_partials_;
  Turnstiles relative_turns_;
  Turnstiles dense_turns_;
};

}  // namespace heed::kernels
