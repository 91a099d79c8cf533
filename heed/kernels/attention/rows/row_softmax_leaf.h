// The running softmax of one row over blocks of keys, and the two ways to use it: a whole graph
// row at a time, and parts of long rows that are merged later.
#pragma once

#include "heed/kernels/attention/rows/row_leaf.h"

namespace heed::kernels::HEED_ISA {
namespace {

HEED_INLINE float exp_of(float x) { return exp2(broadcast(x * kLog2E))[0]; }
HEED_INLINE float log_of(float x) { return log2(broadcast(x))[0] * kLn2; }

// What a score is shifted by before the exponential: 0 for −inf, so that a row in which every
// score is −inf weighs nothing instead of NaN.
HEED_INLINE float safe_shift(float shift) { return shift == -__builtin_inff() ? 0.0f : shift; }

HEED_INLINE RowState of_head(const RowProblem& problem, const RowState& state, int64_t h) {
  return {state.query + h * problem.size, state.shift + h, state.sum + h,
          state.value + h * problem.value_size, state.scratch};
}

// Brings a row's sums to a new shift.
HEED_INLINE void shift_to(const RowState& row, float shift, int64_t value_size) {
  const float before = *row.shift;
  *row.shift = shift;
  if (before == shift || before == -__builtin_inff()) return;
  const float factor = exp_of(before - shift);
  *row.sum *= factor;
  for (int64_t d = 0; d < value_size; d += kLanes) {
    const int count = static_cast<int>(value_size - d < kLanes ? value_size - d : kLanes);
    store_first(row.value + d, load_first(row.value + d, count) * factor, count);
  }
}

// scores become exp(score − shift), where the row's shift is at least the largest of them.
HEED_INLINE void absorb_scores(const RowState& row, int count, int64_t value_size, float* scores) {
  Floats top = load(scores);
  for (int j = kLanes; j < count; j += kLanes) top = max(top, load(scores + j));
  const float largest = max_lanes(top);
  if (largest > *row.shift) shift_to(row, largest, value_size);
  const Floats shift = broadcast(safe_shift(*row.shift));
  Floats sum{};
  for (int j = 0; j < count; j += kLanes) {
    const Floats weight = exp2((load(scores + j) - shift) * kLog2E);
    store(scores + j, weight);
    sum += weight;
  }
  *row.sum += sum_lanes(sum);
}

template <typename Element>
HEED_INLINE void attend_block(const RowProblem& problem, int64_t query, int64_t head,
                              const KeyBlock& block, const RowState& row) {
  BlockScores scores;
  block_scores<Element>(problem, row.query, query, head, block, row.scratch, scores);
  absorb_scores(row, block.count, problem.value_size, scores.score);
  apply_dropout(problem, query, head, block, scores.score);
  add_rows<Element>(scores.score, block.value, head / problem.group * problem.value.head,
                    block.count, problem.value_size, row.value);
}

template <typename Element>
HEED_INLINE void begin_state(const RowProblem& problem, int64_t query, HeadSpan heads,
                             const RowState& state) {
  const int64_t count = heads.end - heads.begin;
  for (int64_t h = 0; h < count; ++h) {
    copy_row<Element>(
        element<Element>(problem.query.data,
                         query * problem.query.row + (heads.begin + h) * problem.query.head),
        problem.size, state.query + h * problem.size);
  }
  fill(state.shift, count, -__builtin_inff());
  fill(state.sum, count, 0);
  fill(state.value, count * problem.value_size, 0);
}

template <typename Element>
HEED_INLINE void finish_state(const RowProblem& problem, const RowState& state, int64_t query,
                              HeadSpan heads, const MutableArray& output, float* log_sum_exp,
                              float* log_sum_exp_rest) {
  for (int64_t head = heads.begin; head < heads.end; ++head) {
    const RowState row = of_head(problem, state, head - heads.begin);
    const bool empty = *row.sum == 0;
    Element* to = static_cast<Element*>(output.data) + query * output.row + head * output.head;
    write_row<Element>(row.value, problem.value_size, empty ? 0.0f : 1.0f / *row.sum, to);
    const double exact = double{safe_shift(*row.shift)} + log_of(*row.sum);
    const auto rounded = static_cast<float>(exact);
    const int64_t at = head * problem.queries + query;
    log_sum_exp[at] = empty ? -__builtin_inff() : rounded;
    if (log_sum_exp_rest) {
      log_sum_exp_rest[at] = empty ? 0.0f : static_cast<float>(exact - double{rounded});
    }
  }
}

HEED_INLINE RowState state_in(float* scratch, const RowProblem& problem) {
  RowState state;
  state.query = scratch;
  state.value = state.query + problem.heads * problem.size;
  state.shift = state.value + problem.heads * problem.value_size;
  state.sum = state.shift + problem.heads;
  state.scratch = state.sum + problem.heads;
  return state;
}

// ---- graphs ----

// Entries of the list between the one in use and the one whose rows are prefetched.
inline constexpr int64_t kAhead = 16;

template <typename Element>
HEED_INLINE void prefetch_row(const ConstArray& array, int64_t row, HeadSpan heads, int64_t size) {
  const bool together = array.head == size;
  const int64_t runs = together ? 1 : heads.end - heads.begin;
  const int64_t bytes = (together ? heads.end - heads.begin : 1) * size * int64_t{sizeof(Element)};
  for (int64_t run = 0; run < runs; ++run) {
    const char* from = reinterpret_cast<const char*>(
        element<Element>(array.data, row * array.row + (heads.begin + run) * array.head));
    for (int64_t byte = 0; byte < bytes; byte += 64) __builtin_prefetch(from + byte);
  }
}

HEED_INLINE HeadSpan key_heads(const RowProblem& problem, HeadSpan heads) {
  return {heads.begin / problem.group, (heads.end + problem.group - 1) / problem.group};
}

// Prefetches the keys and values that come kAhead entries after those in [from, to).
template <typename Element>
HEED_INLINE void prefetch_keys(const RowProblem& problem, const SparseRows& rows, int64_t from,
                               int64_t to, HeadSpan heads) {
  const int64_t entries = rows.offsets[problem.queries];
  const HeadSpan span = key_heads(problem, heads);
  for (int64_t e = from + kAhead; e < to + kAhead && e < entries; ++e) {
    prefetch_row<Element>(problem.key, rows.columns[e], span, problem.size);
    prefetch_row<Element>(problem.value, rows.columns[e], span, problem.value_size);
  }
}

template <typename Element>
void forward_rows(const RowForward& task) {
  const RowProblem& problem = *task.problem;
  const RowState state = state_in(task.scratch, problem);
  KeyBlock block;
  for (int64_t query = task.queries.begin; query < task.queries.end; ++query) {
    begin_state<Element>(problem, query, task.heads, state);
    const int64_t first = task.rows.offsets[query];
    const KeyList keys{task.rows.columns + first, 0, task.rows.offsets[query + 1] - first};
    for (int64_t at = 0; at < keys.count; at += kRowBlock) {
      list_keys<Element>(problem, query, keys, at, block);
      prefetch_keys<Element>(problem, task.rows, first + at, first + at + block.count, task.heads);
      for (int64_t head = task.heads.begin; head < task.heads.end; ++head) {
        attend_block<Element>(problem, query, head, block,
                              of_head(problem, state, head - task.heads.begin));
      }
    }
    finish_state<Element>(problem, state, query, task.heads, task.output, task.log_sum_exp,
                          task.log_sum_exp_rest);
  }
}

// ---- parts of rows ----

// Keys between the one in use and the one that is prefetched, in a run of keys: far enough that a
// row has come from memory when its turn comes. Rows of float32 that lie one after the other are
// left to the processor's own prefetcher.
inline constexpr int64_t kRunAhead = 64;

template <typename Element>
HEED_INLINE int64_t run_ahead(int64_t row, int64_t size) {
  const bool dense = row == size && sizeof(Element) == 4;
  return dense ? 0 : kRunAhead * row * int64_t{sizeof(Element)};
}

template <typename Element>
HEED_INLINE void prefetch_run(const RowAttend& task, bool wanted, KeyBlock& block) {
  const RowProblem& problem = *task.problem;
  const bool run = wanted && task.keys.index == nullptr;
  block.key.ahead = run ? run_ahead<Element>(problem.key.row, problem.size) : 0;
  block.value.ahead = run ? run_ahead<Element>(problem.value.row, problem.value_size) : 0;
}

template <typename Element>
void attend_rows(const RowAttend& task) {
  const RowProblem& problem = *task.problem;
  KeyBlock block;
  for (int64_t at = 0; at < task.keys.count; at += kRowBlock) {
    list_keys<Element>(problem, task.query, task.keys, at, block);
    for (int64_t head = task.heads.begin; head < task.heads.end; ++head) {
      const bool first = task.prefetch && (head == task.heads.begin || head % problem.group == 0);
      prefetch_run<Element>(task, first, block);
      attend_block<Element>(problem, task.query, head, block,
                            of_head(problem, task.state, head - task.heads.begin));
    }
  }
}

template <typename Element>
void scores_of_row(const RowScores& task) {
  const RowProblem& problem = *task.problem;
  KeyBlock block;
  BlockScores scores;
  for (int64_t at = 0; at < task.keys.count; at += kRowBlock) {
    list_keys<Element>(problem, task.query, task.keys, at, block);
    block_scores<Element>(problem, task.query_row, task.query, task.head, block, task.scratch,
                          scores);
    for (int j = 0; j < block.count; ++j) task.scores[at + j] = scores.score[j];
  }
}

float weights_of_scores(const float* scores, int64_t count, float log_sum_exp, float rest,
                        float* weights) {
  Floats sum{};
  for (int64_t j = 0; j < count; j += kLanes) {
    const int some = static_cast<int>(count - j < kLanes ? count - j : kLanes);
    const Floats score = load_first(scores + j, some);
    const Floats weight = exp2((score - safe_shift(log_sum_exp) - rest) * kLog2E);
    store_first(weights + j, weight, some);
    sum += select(mask_of_bits(first_bits(some)), weight, zeros());
  }
  return sum_lanes(sum);
}

void merge_states(const RowState& into, const RowState& from, int64_t heads, int64_t value_size) {
  for (int64_t h = 0; h < heads; ++h) {
    const RowState a{nullptr, into.shift + h, into.sum + h, into.value + h * value_size, nullptr};
    if (from.sum[h] == 0) continue;
    if (from.shift[h] > *a.shift) shift_to(a, from.shift[h], value_size);
    const float factor = exp_of(from.shift[h] - safe_shift(*a.shift));
    *a.sum += from.sum[h] * factor;
    const float* value = from.value + h * value_size;
    for (int64_t d = 0; d < value_size; ++d) a.value[d] += value[d] * factor;
  }
}

template <typename Element>
void terms_of_rows(const RowScore& score, TermSide side, const ConstArray& array, Range rows,
                   int64_t heads, int64_t size, float* scratch, float* to) {
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    for (int64_t head = 0; head < heads; ++head) {
      copy_row<Element>(element<Element>(array.data, row * array.row + head * array.head), size,
                        scratch);
      score.terms(side, scratch, size, 1, static_cast<int>(size), to++);
    }
  }
}

}  // namespace
}  // namespace heed::kernels::HEED_ISA
