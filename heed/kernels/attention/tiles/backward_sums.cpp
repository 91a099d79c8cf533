#include "heed/kernels/attention/tiles/backward_sums.h"

#include <algorithm>

#include "heed/kernels/attention/patterns/block_list.h"

namespace heed::kernels {
namespace {

int64_t relative_tables(const Problem& problem, const BackwardArgs& args) {
  if (args.grad_relative_table == nullptr) return 0;
  return problem.modifiers.relative.head == 0 ? 1 : problem.shape.heads;
}

int64_t dense_cells(const Problem& problem, const BackwardArgs& args, const TaskOrder& order) {
  const DenseBias& bias = problem.modifiers.dense;
  if (args.grad_dense == nullptr) return 0;
  const int64_t slots =
      (bias.batch == 0 ? 1 : problem.shape.batch) * (bias.head == 0 ? 1 : problem.shape.heads);
  return slots * order.key_blocks * (bias.row == 0 ? 1 : order.query_blocks);
}

// The sum of count partials of `size` numbers each, in double and in order.
void sum_partials(const float* partials, int64_t count, int64_t size, float factor, float* out) {
  for (int64_t d = 0; d < size; ++d) {
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += partials[i * size + d];
    out[d] = static_cast<float>(sum * factor);
  }
}

}  // namespace

LearnedSums::LearnedSums(const Problem& problem, const BackwardArgs& args, const TileSetup& setup,
                         const TaskOrder& order)
    : problem_(problem),
      args_(args),
      table_(setup.table()),
      parameters_(setup.parameters()),
      key_blocks_(order.key_blocks),
      query_blocks_(order.query_blocks),
      wave_(order.wave),
      relative_turns_(relative_tables(problem, args)),
      dense_turns_(dense_cells(problem, args, order)) {
  const Shape& s = problem.shape;
  const int64_t partials = s.batch * s.heads * key_blocks_;
  if (args.grad_parameter != nullptr) {
    parameter_partials_.assign(static_cast<size_t>(partials * parameters_), 0.0F);
  }
  if (args.grad_alibi_slopes != nullptr) {
    alibi_partials_.assign(static_cast<size_t>(partials), 0.0F);
  }
  if (any_relative()) {
    const int64_t reach = problem.modifiers.relative.reach;
    relative_entries_ = 2 * (reach + kMaxPanel) + 1;
    relative_sums_.assign(static_cast<size_t>(relative_tables(problem, args) * (2 * reach + 1)), 0);
  }
  if (any_dense()) {
    const DenseBias& bias = problem.modifiers.dense;
    batches_ = bias.batch == 0 ? 1 : s.batch;
    heads_ = bias.head == 0 ? 1 : s.heads;
    rows_ = bias.row == 0 ? 1 : s.queries;
    dense_shared_ = batches_ * heads_ < s.batch * s.heads;
    if (has_dense_columns() || s.queries == 0) {
      std::fill_n(args.grad_dense, batches_ * heads_ * rows_ * s.keys, 0.0F);
    }
  }
}

float* LearnedSums::parameter(const SumPlace& place) {
  if (parameter_partials_.empty()) return nullptr;
  return parameter_partials_.data() + partial_index(place) * parameters_;
}

float* LearnedSums::alibi(const SumPlace& place) {
  return alibi_partials_.empty() ? nullptr : alibi_partials_.data() + partial_index(place);
}

// How many tasks before this one, or heads of it, add to the same table.
int64_t LearnedSums::relative_turn(const SumPlace& place) const {
  const Shape& s = problem_.shape;
  const bool shared = problem_.modifiers.relative.head == 0;
  const int64_t group = s.heads / s.key_heads;
  const int64_t slice = place.batch * s.key_heads + place.head / group;
  const int64_t begin = slice / wave_ * wave_;
  const int64_t end = std::min(begin + wave_, s.batch * s.key_heads);
  // Of the slices below a number, those that add to the table.
  const int64_t step = shared ? 1 : s.key_heads;
  const auto below = [&](int64_t number) { return (number + step - 1 - slice % step) / step; };
  const int64_t turn = below(begin) * key_blocks_ + place.key_block * (below(end) - below(begin)) +
                       below(slice) - below(begin);
  return shared ? turn * group + place.head % group : turn;
}

bool LearnedSums::add_relative(const SumPlace& place, const BackwardSums& task, int64_t lowest,
                               int64_t highest) {
  const RelativeTable& bias = problem_.modifiers.relative;
  const int64_t which = bias.head == 0 ? 0 : place.head;
  const int64_t turn = relative_turn(place);
  if (!relative_turns_.wait(which, turn)) return false;
  double* out = relative_sums_.data() + which * (2 * bias.reach + 1);
  // Where the ends of the table stop a vector, it fills the last entries, up to kMaxPanel of them.
  const int64_t first = std::clamp<int64_t>(lowest + bias.reach, 0, relative_entries_ - kMaxPanel);
  const int64_t end =
      std::clamp<int64_t>(highest + bias.reach + 2 * kMaxPanel + 1, kMaxPanel, relative_entries_);
  for (int64_t i = first; i < end; ++i) {
    out[std::clamp<int64_t>(i - kMaxPanel, 0, 2 * bias.reach)] += task.relative[i];
  }
  out[0] += *task.relative_below;
  out[2 * bias.reach] += *task.relative_above;
  relative_turns_.pass(which, turn);
  return true;
}

int64_t LearnedSums::dense_slot(const SumPlace& place) const {
  return (batches_ > 1 ? place.batch : 0) * heads_ + (heads_ > 1 ? place.head : 0);
}

int64_t LearnedSums::dense_turn(const SumPlace& place) const {
  const int64_t heads = heads_ > 1 ? 1 : problem_.shape.heads;
  return (batches_ > 1 ? 0 : place.batch) * heads + (heads_ > 1 ? 0 : place.head);
}

float* LearnedSums::dense_at(const SumPlace& place, int64_t row, int64_t key) const {
  return args_.grad_dense + (dense_slot(place) * rows_ + row) * problem_.shape.keys + key;
}

bool LearnedSums::add_dense(const SumPlace& place, int64_t query_block, const float* tile,
                            Range keys) {
  const int64_t cell =
      (dense_slot(place) * key_blocks_ + place.key_block) * query_blocks_ + query_block;
  const int64_t turn = dense_turn(place);
  if (dense_shared_ && !dense_turns_.wait(cell, turn)) return false;
  const Range rows = block_range(query_block, kBackwardQueries, problem_.shape.queries);
  float* out = dense_at(place, rows.begin, keys.begin);
  const int64_t stride = problem_.shape.keys;
  const int count = static_cast<int>(rows.size());
  const int size = static_cast<int>(keys.size());
  if (tile != nullptr && turn == 0) {
    table_.store_rows(tile, kBackwardKeys, 1, count, size, DataType::kFloat32, out, stride);
  } else if (tile != nullptr) {
    table_.add_rows(tile, kBackwardKeys, 1, count, size, out, stride);
  } else if (turn == 0) {
    for (int i = 0; i < count; ++i) std::fill_n(out + i * stride, size, 0.0F);
  }
  if (dense_shared_) dense_turns_.pass(cell, turn);
  return true;
}

bool LearnedSums::add_dense_columns(const SumPlace& place, const float* columns, Range keys) {
  const int64_t cell = dense_slot(place) * key_blocks_ + place.key_block;
  if (!dense_turns_.wait(cell, dense_turn(place))) return false;
  float* out = dense_at(place, 0, keys.begin);
  for (int64_t j = 0; j < keys.size(); ++j) out[j] += columns[j];
  dense_turns_.pass(cell, dense_turn(place));
  return true;
}

void LearnedSums::finish() {
  std::transform(relative_sums_.begin(), relative_sums_.end(), args_.grad_relative_table,
                 [](double sum) { return static_cast<float>(sum); });
  const Shape& s = problem_.shape;
  const int64_t count = s.batch * key_blocks_;
  for (int64_t h = 0; h < s.heads; ++h) {
    if (args_.grad_parameter != nullptr) {
      // Everything behind the score is without the scale until here.
      sum_partials(parameter_partials_.data() + h * count * parameters_, count, parameters_,
                   problem_.score.scale, args_.grad_parameter + h * parameters_);
    }
    if (args_.grad_alibi_slopes != nullptr) {
      sum_partials(alibi_partials_.data() + h * count, count, 1, 1, args_.grad_alibi_slopes + h);
    }
  }
}

void LearnedSums::stop() {
  relative_turns_.stop();
  dense_turns_.stop();
}

}  // namespace heed::kernels
