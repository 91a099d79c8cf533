// The gradients of what all rows share (a score's parameter, ALiBi slopes, the relative table, a
// broadcast dense bias): added up in slices of the rows that are cut by the shapes alone, and
// summed over the slices in order, so that the bits do not depend on the threads.
#pragma once

#include <vector>

#include "heed/base/workers.h"
#include "heed/kernels/attention/problem.h"
#include "heed/kernels/attention/rows/row_kernels.h"

namespace heed::kernels {

class RowGradients {
 public:
  RowGradients(const Problem& problem, const BackwardArgs& args);

  // How many slices to cut `ranges` ranges of rows into.
  int64_t slices(int64_t ranges);

  // Whether two heads never add to the same number.
  bool heads_apart() const;

  // Where the rows of one slice and batch add to.
  RowSideGradients of_slice(int64_t batch, int64_t slice);

  // To be called after the last row of each batch, in the order of the batches.
  void end_batch(int64_t batch);

  // Writes what the caller asked for.
  void finish();

 private:
  struct Part {
    float* wanted = nullptr;  // null: not asked for
    int64_t count = 0;
    int64_t begin = 0;  // within a slice
  };
  void sum_slices(const Part& part, float* to, bool add);
  int64_t dense_rows() const;

  const Problem& problem_;
  Part parameter_;
  Part alibi_;
  Part relative_;
  Part dense_;  // where the bias is the same for all queries; else rows add straight to it
  float* dense_direct_ = nullptr;
  int64_t slice_size_ = 0;
  int64_t slice_count_ = 0;
  std::vector<double> sums_;
};

}  // namespace heed::kernels
