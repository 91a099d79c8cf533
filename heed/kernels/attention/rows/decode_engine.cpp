#include "heed/kernels/attention/rows/decode_engine.h"

#include <algorithm>
#include <array>
#include <vector>

#include "heed/kernels/arithmetic.h"
#include "heed/kernels/attention/rows/row_problem.h"
#include "heed/kernels/vector/scratch.h"
#include "heed/kernels/vector/sharing.h"

namespace heed::kernels {
namespace {

// The time of this engine grows with each query. The tile engine has the queries in the lanes of
// its vectors, and takes as long for one as for a vector full of them.
constexpr int64_t kMostQueries = 6;
constexpr int64_t kFewestKeys = 128;  // with fewer, there is nothing to cut up

// Keys of a task: whole blocks, 8 pieces or more where there are enough of them.
int64_t piece_size(int64_t keys) {
  const int64_t blocks = keys / 8 / kRowBlock;
  return kRowBlock * std::clamp<int64_t>(blocks, 1, 4);
}

// The running softmax of all rows of one key head over one piece of the keys: (query, head) rows.
struct PieceSizes {
  int64_t rows;
  int64_t size;
  int64_t value_size;
  int64_t floats() const { return rows * (2 + value_size); }
};

RowState state_at(float* piece, const PieceSizes& sizes, int64_t row) {
  RowState state;
  state.shift = piece + row;
  state.sum = piece + sizes.rows + row;
  state.value = piece + 2 * sizes.rows + row * sizes.value_size;
  return state;
}

class Decode {
 public:
  Decode(const Problem& problem, const Workers& workers)
      : problem_(problem),
        workers_(workers),
        problems_(problem, workers),
        group_(problem.shape.heads / problem.shape.key_heads),
        piece_(piece_size(problem.shape.keys)),
        pieces_(div_up(problem.shape.keys, piece_)),
        sizes_{problem.shape.queries * group_, problem.shape.size, problem.shape.value_size} {
    const Shape& shape = problem.shape;
    states_.reset(
        new float[static_cast<size_t>(shape.batch * shape.key_heads * pieces_ * sizes_.floats())]);
  }

  void run(const ForwardResult& result) {
    const Shape& shape = problem_.shape;
    const int64_t key_heads = shape.batch * shape.key_heads;
    const double operations = 2.0 * static_cast<double>(shape.batch * shape.heads * shape.queries) *
                              static_cast<double>(shape.keys * (shape.size + shape.value_size));
    for_each_task(workers_, key_heads * pieces_, operations,
                  [&](int64_t task) { attend_piece(task / pieces_, task % pieces_); });
    const double merging = 2.0 * static_cast<double>(key_heads * pieces_ * sizes_.floats());
    for_each_task(workers_, key_heads, merging,
                  [&](int64_t key_head) { merge_pieces(key_head, result); });
  }

 private:
  float* piece_at(int64_t key_head, int64_t piece) const {
    return states_.get() + (key_head * pieces_ + piece) * sizes_.floats();
  }
  HeadSpan heads_of(int64_t key_head) const {
    const int64_t first = key_head % problem_.shape.key_heads * group_;
    return {first, first + group_};
  }

  // `key_head` counts over batches and key heads.
  void attend_piece(int64_t key_head, int64_t piece) const {
    const Shape& shape = problem_.shape;
    const RowProblem row = problems_.of_batch(key_head / shape.key_heads);
    Scratch& scratch = thread_scratch();
    float* query_rows = nullptr;
    float* rest = nullptr;
    scratch.hand_out([&] {
      query_rows = scratch.take<float>(sizes_.rows * sizes_.size);
      rest = scratch.take<float>(row_scratch_size(row));
    });
    float* states = piece_at(key_head, piece);
    for (int64_t i = 0; i < shape.queries; ++i) {
      row_table().begin(row, i, heads_of(key_head), state_of(states, i, query_rows, rest));
    }
    const int64_t end = std::min((piece + 1) * piece_, shape.keys);
    for (int64_t key = piece * piece_; key < end; key += kRowBlock) {
      const Range keys{key, std::min(key + kRowBlock, end)};
      for (int64_t i = 0; i < shape.queries; ++i) {
        RowAttend attend;
        attend.problem = &row;
        attend.query = i;
        attend.heads = heads_of(key_head);
        attend.state = state_of(states, i, query_rows, rest);
        attend.prefetch = i == 0;
        attend_block(key_head / shape.key_heads, keys, attend);
      }
    }
  }

  RowState state_of(float* piece, int64_t query, float* query_rows, float* rest) const {
    RowState state = state_at(piece, sizes_, query * group_);
    state.query = query_rows + query * group_ * sizes_.size;
    state.scratch = rest;
    return state;
  }

  // Those of at most kRowBlock keys that the pattern allows; head by head where they differ.
  void attend_block(int64_t batch, Range keys, RowAttend& attend) const {
    if (problem_.pattern == nullptr) return attend_all(keys, attend);
    if (!problem_.pattern->varies_by_head()) return attend_allowed(batch, keys, attend);
    const HeadSpan heads = attend.heads;
    const RowState state = attend.state;
    for (int64_t head = heads.begin; head < heads.end; ++head) {
      const int64_t h = head - heads.begin;
      attend.heads = {head, head + 1};
      attend.state = {state.query + h * sizes_.size, state.shift + h, state.sum + h,
                      state.value + h * sizes_.value_size, state.scratch};
      attend_allowed(batch, keys, attend);
    }
  }

  void attend_all(Range keys, RowAttend& attend) const {
    attend.keys = {nullptr, keys.begin, keys.size()};
    row_table().attend(attend);
  }

  void attend_allowed(int64_t batch, Range keys, RowAttend& attend) const {
    const Range query{attend.query, attend.query + 1};
    const int64_t head = attend.heads.begin;
    const Cover cover = problem_.pattern->cover(batch, head, query, keys);
    if (cover == Cover::kEmpty) return;
    if (cover == Cover::kFull) return attend_all(keys, attend);
    std::array<uint64_t, kRowBlock> columns;
    std::array<int64_t, kRowBlock> list;
    problem_.pattern->allowed(batch, head, query, keys, columns.data());
    int64_t count = 0;
    for (int64_t j = 0; j < keys.size(); ++j) {
      list[static_cast<size_t>(count)] = keys.begin + j;
      count += static_cast<int64_t>(columns[static_cast<size_t>(j)] & 1);
    }
    if (count == 0) return;
    attend.keys = {list.data(), 0, count};
    row_table().attend(attend);
  }

  void merge_pieces(int64_t key_head, const ForwardResult& result) const {
    const Shape& shape = problem_.shape;
    const int64_t batch = key_head / shape.key_heads;
    const RowProblem row = problems_.of_batch(batch);
    const RowState all = state_at(piece_at(key_head, 0), sizes_, 0);
    for (int64_t piece = 1; piece < pieces_; ++piece) {
      row_table().merge(all, state_at(piece_at(key_head, piece), sizes_, 0), sizes_.rows,
                        sizes_.value_size);
    }
    const int64_t first = batch * shape.heads * shape.queries;
    float* rest = result.log_sum_exp_rest ? result.log_sum_exp_rest + first : nullptr;
    for (int64_t i = 0; i < shape.queries; ++i) {
      row_table().finish(row, state_at(piece_at(key_head, 0), sizes_, i * group_), i,
                         heads_of(key_head), at_batch(result.output, problem_.type, batch),
                         result.log_sum_exp + first, rest);
    }
  }

  const Problem& problem_;
  const Workers& workers_;
  RowProblems problems_;
  int64_t group_;
  int64_t piece_;
  int64_t pieces_;
  PieceSizes sizes_;
  std::unique_ptr<float[]> states_;
};

}  // namespace

const char* decode_refuses_forward(const Problem& problem) {
  const Shape& shape = problem.shape;
  if (shape.queries > kMostQueries) return "more than 6 queries";
  // The backward pass is that of the tiles, which round a score at another place: with all of a
  // row's weight on one key, as happens with few keys or a bias, even that last bit would show.
  if (!problem.forward_only) {
    if (shape.keys < kFewestKeys) return "fewer than 128 keys, and a backward pass";
    if (problem.modifiers.dense.data != nullptr) return "a dense bias, and a backward pass";
  }
  if (shape.key_heads == 0 || shape.batch == 0 || shape.queries == 0) return "nothing to do";
  return nullptr;
}

const char* decode_refuses_backward(const Problem&, const BackwardArgs&) {
  return "decoding has no backward of its own";
}

void decode_forward(const Problem& problem, const ForwardResult& result, const Workers& workers) {
  Decode(problem, workers).run(result);
}

}  // namespace heed::kernels
