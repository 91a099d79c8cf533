// The second pass of a graph's backward: each key gathers from the queries that see it.
#pragma once

#include "heed/kernels/attention/rows/row_backward_leaf.h"

namespace heed::kernels::HEED_ISA {
namespace {

template <typename Element>
HEED_INLINE void prefetch_queries(const ColumnBackward& task, int64_t from, int64_t to) {
  const RowProblem& problem = *task.problem;
  const int64_t entries = task.columns.offsets[task.keys.end];
  const HeadSpan span{task.key_heads.begin * problem.group, task.key_heads.end * problem.group};
  for (int64_t e = from + kAhead; e < to + kAhead && e < entries; ++e) {
    const int64_t query = task.columns.rows[e];
    if (task.grad_key.data) prefetch_row<Element>(problem.query, query, span, problem.size);
    if (task.grad_value.data) {
      prefetch_row<Element>(task.grad_output, query, span, problem.value_size);
    }
    const int64_t edge = int64_t{task.columns.edges[e]} * task.edges.edge;
    __builtin_prefetch(task.edges.weight + edge + span.begin * task.edges.head);
    __builtin_prefetch(task.edges.raw + edge + span.begin * task.edges.head);
  }
}

struct ColumnBlock {
  int count = 0;
  BlockRows query;
  BlockRows grad_output;
  int64_t edge[kRowBlock];
};

template <typename Element>
HEED_INLINE void list_queries(const ColumnBackward& task, int64_t begin, int64_t end,
                              ColumnBlock& block) {
  const RowProblem& problem = *task.problem;
  block.count = static_cast<int>(end - begin < kRowBlock ? end - begin : kRowBlock);
  for (int j = 0; j < block.count; ++j) {
    const int64_t query = task.columns.rows[begin + j];
    block.query.row[j] = element<Element>(problem.query.data, query * problem.query.row);
    block.grad_output.row[j] =
        element<Element>(task.grad_output.data, query * task.grad_output.row);
    block.edge[j] = int64_t{task.columns.edges[begin + j]} * task.edges.edge;
  }
}

// One key and key head: its row where the score needs it, and its gradients so far.
struct Column {
  int64_t key = 0;
  int64_t key_head = 0;
  float* key_row = nullptr;
  float* grad_key = nullptr;
  float* grad_value = nullptr;
  float* term_grad = nullptr;
  float* pairwise = nullptr;  // scratch
};

// Of a pairwise score: one query after the other as the row, and the key as the only lane.
template <typename Element>
HEED_INLINE void pairwise_key_gradient(const RowProblem& problem, const ColumnBlock& block,
                                       int64_t head, const float* raw_grads, const Column& column) {
  const int64_t size = problem.size;
  const PairwiseScratch scratch = pairwise_scratch(column.pairwise, size);
  float raw[kPanel];
  PairwiseGradient g;
  g.tile.rows_are_keys = false;
  g.tile.rows = 1;
  g.tile.vectors = 1;
  g.tile.size = static_cast<int>(size);
  g.tile.row_stride = size;
  g.tile.row_prepared_stride = 2 * size;
  g.tile.parameter = problem.parameter + head * size;
  g.tile.raw = raw;
  g.tile.raw_stride = kPanel;
  g.lanes = 1;
  fill(raw, kPanel, 0);
  float* key_lanes = scratch.lanes;
  float* key_prepared = scratch.prepared;
  float* grad_lanes = scratch.grads;
  fill(key_lanes, kPanel * size, 0);
  fill(grad_lanes, kPanel * size, 0);
  for (int64_t d = 0; d < size; ++d) key_lanes[d * kPanel] = column.key_row[d];
  problem.score->prepare(key_lanes, kPanel * size, key_prepared);
  float* query = scratch.query;
  float* query_prepared = query + size;
  float* grad_query = query + 3 * size;
  for (int j = 0; j < block.count; ++j) {
    copy_row<Element>(element<Element>(block.query.row[j], head * problem.query.head), size, query);
    problem.score->prepare(query, size, query_prepared);
    fill(grad_query, size, 0);
    raw[0] = raw_grads[j];
    g.tile.row_data = query;
    g.tile.row_prepared = query_prepared;
    g.tile.lane_data = key_lanes;
    g.tile.lane_prepared = key_prepared;
    g.grad_rows = grad_query;
    g.grad_rows_stride = size;
    g.grad_lanes = grad_lanes;
    problem.score->pairwise_gradient(g);
  }
  for (int64_t d = 0; d < size; ++d) column.grad_key[d] += grad_lanes[d * kPanel];
}

template <typename Element>
HEED_INLINE void gather_block(const ColumnBackward& task, const ColumnBlock& block, int64_t head,
                              const Column& column) {
  const RowProblem& problem = *task.problem;
  float factor[kRowBlock];
  const auto gather = [&](const float* edges) {
    const float* from = edges + head * task.edges.head;
    for (int j = 0; j < block.count; ++j) factor[j] = from[block.edge[j]];
  };
  if (task.grad_value.data) {
    gather(task.edges.weight);
    add_rows<Element>(factor, block.grad_output, head * task.grad_output.head, block.count,
                      problem.value_size, column.grad_value);
  }
  if (!task.grad_key.data) return;
  if (task.edges.term) {
    gather(task.edges.term);
    for (int j = 0; j < block.count; ++j) *column.term_grad += factor[j];
  }
  gather(task.edges.raw);
  if (problem.score->is_pairwise) {
    pairwise_key_gradient<Element>(problem, block, head, factor, column);
  } else {
    add_rows<Element>(factor, block.query, head * problem.query.head, block.count, problem.size,
                      column.grad_key);
  }
}

template <typename Element>
HEED_INLINE void write_column(const ColumnBackward& task, const Column& column) {
  const RowProblem& problem = *task.problem;
  if (task.grad_key.data) {
    const int64_t heads = problem.heads / problem.group;
    if (problem.score->has_terms) {
      problem.score->add_term_gradients(TermSide::kKey, column.key_row, problem.size, 1,
                                        static_cast<int>(problem.size),
                                        problem.key_terms + column.key * heads + column.key_head,
                                        column.term_grad, column.grad_key, problem.size);
    }
    Element* to = static_cast<Element*>(task.grad_key.data) + column.key * task.grad_key.row +
                  column.key_head * task.grad_key.head;
    write_row<Element>(column.grad_key, problem.size, 1, to);
  }
  if (task.grad_value.data) {
    Element* to = static_cast<Element*>(task.grad_value.data) + column.key * task.grad_value.row +
                  column.key_head * task.grad_value.head;
    write_row<Element>(column.grad_value, problem.value_size, 1, to);
  }
}

// The key at hand, head by head.
struct HeadColumns {
  float* key_rows;
  float* grad_keys;
  float* grad_values;
  float* term_grads;
  float* pairwise;
};

HEED_INLINE Column column_of(const ColumnBackward& task, const HeadColumns& all, int64_t key,
                             int64_t h) {
  const RowProblem& problem = *task.problem;
  Column column;
  column.key = key;
  column.key_head = task.key_heads.begin + h;
  column.key_row = all.key_rows + h * problem.size;
  column.grad_key = all.grad_keys + h * problem.size;
  column.grad_value = all.grad_values + h * problem.value_size;
  column.term_grad = all.term_grads + h;
  column.pairwise = all.pairwise;
  return column;
}

template <typename Element>
HEED_INLINE void begin_column(const ColumnBackward& task, const Column& column, bool seen) {
  const RowProblem& problem = *task.problem;
  *column.term_grad = 0;
  fill(column.grad_key, problem.size, 0);
  fill(column.grad_value, problem.value_size, 0);
  // A key that nobody sees is not read.
  if (!seen || !(problem.score->is_pairwise || problem.score->has_terms)) return;
  copy_row<Element>(element<Element>(problem.key.data, column.key * problem.key.row +
                                                           column.key_head * problem.key.head),
                    problem.size, column.key_row);
}

template <typename Element>
void backward_columns(const ColumnBackward& task) {
  const RowProblem& problem = *task.problem;
  const int64_t heads = task.key_heads.end - task.key_heads.begin;
  HeadColumns all;
  all.key_rows = task.scratch;
  all.grad_keys = all.key_rows + heads * problem.size;
  all.grad_values = all.grad_keys + heads * problem.size;
  all.term_grads = all.grad_values + heads * problem.value_size;
  all.pairwise = all.term_grads + heads;
  ColumnBlock block;
  for (int64_t key = task.keys.begin; key < task.keys.end; ++key) {
    const int64_t begin = task.columns.offsets[key];
    const int64_t end = task.columns.offsets[key + 1];
    for (int64_t h = 0; h < heads; ++h) {
      begin_column<Element>(task, column_of(task, all, key, h), begin < end);
    }
    for (int64_t at = begin; at < end; at += kRowBlock) {
      list_queries<Element>(task, at, end, block);
      prefetch_queries<Element>(task, at, at + block.count);
      for (int64_t head = 0; head < heads * problem.group; ++head) {
        gather_block<Element>(task, block, task.key_heads.begin * problem.group + head,
                              column_of(task, all, key, head / problem.group));
      }
    }
    for (int64_t h = 0; h < heads; ++h) write_column<Element>(task, column_of(task, all, key, h));
  }
}

}  // namespace
}  // namespace heed::kernels::HEED_ISA
