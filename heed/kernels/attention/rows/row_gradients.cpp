#include "heed/kernels/attention/rows/row_gradients.h"

#include <algorithm>

namespace heed::kernels {
namespace {

constexpr int64_t kMostSlices = 64;
constexpr int64_t kMostNumbers = int64_t{2} << 20;  // 16 MB of slices

int64_t heads_of(const Problem& problem) {
  return problem.modifiers.dense.head == 0 ? 1 : problem.shape.heads;
}

}  // namespace

RowGradients::RowGradients(const Problem& problem, const BackwardArgs& args) : problem_(problem) {
  const Shape& shape = problem.shape;
  const Modifiers& modifiers = problem.modifiers;
  const auto want = [this](Part& part, float* wanted, int64_t count) {
    if (!wanted) return;
    part = {wanted, count, slice_size_};
    slice_size_ += count;
  };
  const RowScore& score = *find_row_score(problem.score.name);
  want(parameter_, args.grad_parameter,
       shape.heads * (score.is_pairwise ? shape.size : score.parameters));
  want(alibi_, args.grad_alibi_slopes, shape.heads);
  want(relative_, args.grad_relative_table,
       (modifiers.relative.head == 0 ? 1 : shape.heads) * (2 * modifiers.relative.reach + 1));
  if (!args.grad_dense) return;
  const DenseBias& dense = modifiers.dense;
  const int64_t batches = dense.batch == 0 ? 1 : shape.batch;
  std::fill_n(args.grad_dense, batches * heads_of(problem) * dense_rows() * shape.keys, 0.0f);
  if (dense_rows() == 1) {
    want(dense_, args.grad_dense, heads_of(problem) * shape.keys);
  } else {
    dense_direct_ = args.grad_dense;
  }
}

int64_t RowGradients::dense_rows() const {
  return problem_.modifiers.dense.row == 0 ? 1 : problem_.shape.queries;
}

int64_t RowGradients::slices(int64_t ranges) {
  if (slice_size_ == 0) return ranges;
  if (slice_count_ > 0) return slice_count_;
  slice_count_ = std::clamp<int64_t>(kMostNumbers / slice_size_, 1, kMostSlices);
  slice_count_ = std::min(slice_count_, std::max<int64_t>(ranges, 1));
  sums_.assign(slice_count_ * slice_size_, 0);
  return slice_count_;
}

bool RowGradients::heads_apart() const {
  const bool shared_table = relative_.wanted && problem_.modifiers.relative.head == 0;
  const bool shared_bias = (dense_.wanted || dense_direct_) && problem_.modifiers.dense.head == 0;
  return !shared_table && !shared_bias;
}

RowSideGradients RowGradients::of_slice(int64_t batch, int64_t slice) {
  RowSideGradients side;
  double* sums = sums_.data() + slice * slice_size_;
  if (parameter_.wanted) side.parameter = sums + parameter_.begin;
  if (alibi_.wanted) side.alibi_slopes = sums + alibi_.begin;
  if (relative_.wanted) {
    side.relative_table = sums + relative_.begin;
    side.relative_head =
        problem_.modifiers.relative.head == 0 ? 0 : 2 * problem_.modifiers.relative.reach + 1;
  }
  const int64_t rows = dense_rows();
  const int64_t keys = problem_.shape.keys;
  side.dense_head = problem_.modifiers.dense.head == 0 ? 0 : rows * keys;
  side.dense_row = rows == 1 ? 0 : keys;
  if (dense_.wanted) {
    side.shared_dense = sums + dense_.begin;
  } else if (dense_direct_) {
    const int64_t at = problem_.modifiers.dense.batch == 0 ? 0 : batch;
    side.dense = dense_direct_ + at * heads_of(problem_) * rows * keys;
  }
  return side;
}

void RowGradients::sum_slices(const Part& part, float* to, bool add) {
  for (int64_t i = 0; i < part.count; ++i) {
    double sum = add ? to[i] : 0;
    for (int64_t slice = 0; slice < slice_count_; ++slice) {
      double& from = sums_[slice * slice_size_ + part.begin + i];
      sum += from;
      from = 0;
    }
    to[i] = static_cast<float>(sum);
  }
}

void RowGradients::end_batch(int64_t batch) {
  if (!dense_.wanted) return;
  const int64_t at = problem_.modifiers.dense.batch == 0 ? 0 : batch;
  sum_slices(dense_, dense_.wanted + at * dense_.count, true);
}

void RowGradients::finish() {
  for (const Part* part : {&parameter_, &alibi_, &relative_}) {
    if (part->wanted) sum_slices(*part, part->wanted, false);
  }
}

}  // namespace heed::kernels
