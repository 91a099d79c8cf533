// The backward of a graph in two passes: over the queries for their gradient and what each edge
// sends back (EdgeStore), then over the keys, which gather it.
#pragma once

#include "heed/kernels/attention/rows/row_softmax_leaf.h"
#include "heed/kernels/attention/scores/modifiers_leaf.h"

namespace heed::kernels::HEED_ISA {
namespace {

// One (query, head) row in the first pass.
struct BackwardRow {
  int64_t query = 0;
  int64_t head = 0;
  const float* query_row = nullptr;
  const float* grad_output = nullptr;
  float* grad_query = nullptr;
  float* term_grad = nullptr;  // of the query's term, added to
  float log_sum_exp = 0;
  float log_sum_rest = 0;  // what rounding took from it
  float mean = 0;          // Σ weight · its gradient, less the gradient of the log-sum-exp
};

// At the keys of a block.
struct BlockGradients {
  float score[kRowBlock + kLanes];   // gradient of the score after modifiers
  float scaled[kRowBlock + kLanes];  // of the score before scale and softcap
  float raw[kRowBlock + kLanes];     // of the raw score
  float term[kRowBlock + kLanes];    // of the key's term
  float weight[kRowBlock + kLanes];  // the weight after dropout
};

// The side gradients of a block that belong to the score; fills raw and term.
HEED_INLINE void through_score(const RowProblem& problem, const BackwardRow& row,
                               const KeyBlock& block, BlockScores& scores,
                               const RowSideGradients& side, BlockGradients& grads) {
  if (problem.score->is_identity) {
    for (int j = 0; j < block.count; j += kLanes) store(grads.raw + j, load(grads.scaled + j));
    return;
  }
  RowScoreBlock at = score_block(problem, row.query, row.head, block, scores);
  at.grads = grads.scaled;
  at.raw_grads = grads.raw;
  at.key_term_grads = grads.term;
  problem.score->gradients(at);
  *row.term_grad += at.query_term_grad;
  if (side.parameter) side.parameter[row.head] += at.parameter_grad;
}

template <typename Element>
HEED_INLINE void block_gradients(const RowBackward& task, const BackwardRow& row,
                                 const KeyBlock& block, BlockGradients& grads) {
  const RowProblem& problem = *task.problem;
  BlockScores scores;
  float keep[kRowBlock + kLanes];
  float along[kRowBlock + kLanes];
  block_scores<Element>(problem, row.query_row, row.query, row.head, block, task.pairwise, scores);
  row_products<Element>(row.grad_output, block.value, row.head / problem.group * problem.value.head,
                        block.count, problem.value_size, along);
  for (int j = 0; j < block.count; j += kLanes) store(keep + j, broadcast(1.0f));
  apply_dropout(problem, row.query, row.head, block, keep);
  const bool capped = problem.modifiers.softcap > 0;
  for (int j = 0; j < block.count; j += kLanes) {
    const Floats weight =
        exp2((load(scores.score + j) - row.log_sum_exp - row.log_sum_rest) * kLog2E);
    const Floats kept = load(keep + j);
    const Floats grad = weight * (load(along + j) * kept - row.mean);
    store(grads.weight + j, weight * kept);
    store(grads.score + j, grad);
    Floats scaled = grad * problem.scale;
    if (capped) scaled = scaled * load(scores.slope + j);
    store(grads.scaled + j, scaled);
  }
  through_score(problem, row, block, scores, task.side, grads);
}

HEED_INLINE void add_bias_gradients(const BackwardRow& row, const KeyBlock& block,
                                    const BlockGradients& grads, const RowSideGradients& side) {
  if (side.alibi_slopes) {
    double sum = 0;
    for (int j = 0; j < block.count; ++j) {
      sum += alibi_gradient(double{grads.score[j]}, double{block.distance[j]});
    }
    side.alibi_slopes[row.head] += sum;
  }
  if (side.relative_table) {
    double* table = side.relative_table + row.head * side.relative_head;
    for (int j = 0; j < block.count; ++j) table[block.relative[j]] += grads.score[j];
  }
  if (side.shared_dense) {
    double* dense = side.shared_dense + row.head * side.dense_head;
    for (int j = 0; j < block.count; ++j) dense[block.index[j]] += grads.score[j];
  }
  if (side.dense) {
    float* dense = side.dense + row.head * side.dense_head + row.query * side.dense_row;
    for (int j = 0; j < block.count; ++j) dense[block.index[j]] += grads.score[j];
  }
}

HEED_INLINE void leave_at_edges(const BackwardRow& row, int64_t first, int count,
                                const BlockGradients& grads, const EdgeStore& edges) {
  if (!edges.weight) return;
  const int64_t to = first * edges.edge + row.head * edges.head;
  for (int j = 0; j < count; ++j) {
    edges.weight[to + j * edges.edge] = grads.weight[j];
    edges.raw[to + j * edges.edge] = grads.raw[j];
    if (edges.term) edges.term[to + j * edges.edge] = grads.term[j];
  }
}

// Gradients of the query and of the parameter of a pairwise score.
template <typename Element>
HEED_INLINE void pairwise_query_gradient(const RowBackward& task, const BackwardRow& row,
                                         const KeyBlock& block, const BlockGradients& grads) {
  const RowProblem& problem = *task.problem;
  const PairwiseScratch scratch = pairwise_scratch(task.pairwise, problem.size);
  float raw[kPanel];
  for (int panel = 0; panel * kPanel < block.count; ++panel) {
    PairwiseGradient g;
    g.tile = pairwise_panel<Element>(problem, row.query_row, row.head, block, panel, scratch);
    const int left = block.count - panel * kPanel;
    g.lanes = left < kPanel ? left : kPanel;
    for (int j = 0; j < kPanel; ++j) raw[j] = j < left ? grads.raw[panel * kPanel + j] : 0.0f;
    g.tile.raw = raw;
    g.grad_rows = row.grad_query;
    g.grad_rows_stride = problem.size;
    g.grad_lanes = scratch.grads;  // the second pass does the keys
    fill(g.grad_lanes, kPanel * problem.size, 0);
    if (task.side.parameter) {
      g.grad_parameter = scratch.query + 2 * problem.size;
      fill(g.grad_parameter, problem.size, 0);
    }
    problem.score->pairwise_gradient(g);
    if (!task.side.parameter) continue;
    double* sums = task.side.parameter + row.head * problem.size;
    for (int64_t d = 0; d < problem.size; ++d) sums[d] += g.grad_parameter[d];
  }
}

template <typename Element>
HEED_INLINE void backward_block(const RowBackward& task, const BackwardRow& row, int64_t first,
                                const KeyBlock& block) {
  const RowProblem& problem = *task.problem;
  BlockGradients grads;
  if (row.log_sum_exp == -__builtin_inff()) {  // no key weighs anything
    fill(grads.weight, block.count, 0);
    fill(grads.raw, block.count, 0);
    fill(grads.term, block.count, 0);
    leave_at_edges(row, first, block.count, grads, task.edges);
    return;
  }
  block_gradients<Element>(task, row, block, grads);
  add_bias_gradients(row, block, grads, task.side);
  leave_at_edges(row, first, block.count, grads, task.edges);
  if (problem.score->is_pairwise) {
    pairwise_query_gradient<Element>(task, row, block, grads);
  } else if (task.grad_query.data) {
    add_rows<Element>(grads.raw, block.key, row.head / problem.group * problem.key.head,
                      block.count, problem.size, row.grad_query);
  }
}

// scratch: for each head a BackwardRow's rows, mean and term gradient; and one row of the output.
struct BackwardScratch {
  float* query;
  float* grad_query;
  float* grad_output;
  float* mean;
  float* log_sum_rest;
  float* term_grad;
  float* output;
  float* pairwise;
};
HEED_INLINE BackwardScratch backward_scratch(float* scratch, const RowProblem& problem) {
  BackwardScratch s;
  s.query = scratch;
  s.grad_query = s.query + problem.heads * problem.size;
  s.grad_output = s.grad_query + problem.heads * problem.size;
  s.mean = s.grad_output + problem.heads * problem.value_size;
  s.log_sum_rest = s.mean + problem.heads;
  s.term_grad = s.log_sum_rest + problem.heads;
  s.output = s.term_grad + problem.heads;
  s.pairwise = s.output + problem.value_size;
  return s;
}

HEED_INLINE BackwardRow backward_row(const RowBackward& task, const BackwardScratch& scratch,
                                     int64_t query, int64_t head) {
  const RowProblem& problem = *task.problem;
  BackwardRow row;
  row.query = query;
  row.head = head;
  row.query_row = scratch.query + head * problem.size;
  row.grad_output = scratch.grad_output + head * problem.value_size;
  row.grad_query = scratch.grad_query + head * problem.size;
  row.term_grad = scratch.term_grad + head;
  row.log_sum_exp = task.log_sum_exp[head * problem.queries + query];
  row.log_sum_rest = scratch.log_sum_rest[head];
  row.mean = scratch.mean[head];
  return row;
}

template <typename Element>
HEED_INLINE void begin_backward(const RowBackward& task, const BackwardScratch& scratch,
                                int64_t query) {
  const RowProblem& problem = *task.problem;
  const auto copy = [query](const ConstArray& array, int64_t head, int64_t size, float* to) {
    copy_row<Element>(element<Element>(array.data, query * array.row + head * array.head), size,
                      to);
    return to;
  };
  for (int64_t head = task.heads.begin; head < task.heads.end; ++head) {
    copy(problem.query, head, problem.size, scratch.query + head * problem.size);
    const float* grad = copy(task.grad_output, head, problem.value_size,
                             scratch.grad_output + head * problem.value_size);
    const float* output = copy(task.output, head, problem.value_size, scratch.output);
    const float* from_sum = task.grad_log_sum_exp;
    scratch.mean[head] = dot_rows(grad, output, problem.value_size) -
                         (from_sum ? from_sum[head * problem.queries + query] : 0.0f);
    scratch.log_sum_rest[head] = 0;
    scratch.term_grad[head] = 0;
    fill(scratch.grad_query + head * problem.size, problem.size, 0);
  }
}

// Where the log-sum-exp is large, its rounding is felt in every weight of the row. The rest that
// the forward pass kept, or else the sum of the weights, says by how much.
template <typename Element>
void correct_row(const RowBackward& task, const KeyList& keys, KeyBlock& block, BackwardRow& row) {
  if (task.log_sum_exp_rest) {
    const int64_t at = row.head * task.problem->queries + row.query;
    row.log_sum_rest = task.log_sum_exp_rest[at];
    return;
  }
  const float size = __builtin_fabsf(row.log_sum_exp);
  if (!(size > 8) || size == __builtin_inff()) return;
  BlockScores scores;
  float weights[kRowBlock + kLanes];
  double sum = 0;
  for (int64_t at = 0; at < keys.count; at += kRowBlock) {
    if (keys.count > kRowBlock) list_keys<Element>(*task.problem, row.query, keys, at, block);
    block_scores<Element>(*task.problem, row.query_row, row.query, row.head, block, task.pairwise,
                          scores);
    sum += weights_of_scores(scores.score, block.count, row.log_sum_exp, 0, weights);
  }
  if (sum > 0) row.log_sum_rest = log_of(static_cast<float>(sum));
}

template <typename Element>
HEED_INLINE void write_grad_query(const RowBackward& task, const BackwardScratch& scratch,
                                  int64_t query) {
  const RowProblem& problem = *task.problem;
  if (!task.grad_query.data) return;
  for (int64_t head = task.heads.begin; head < task.heads.end; ++head) {
    float* grad = scratch.grad_query + head * problem.size;
    if (problem.score->has_terms) {
      problem.score->add_term_gradients(TermSide::kQuery, scratch.query + head * problem.size,
                                        problem.size, 1, static_cast<int>(problem.size),
                                        problem.query_terms + query * problem.heads + head,
                                        scratch.term_grad + head, grad, problem.size);
    }
    Element* to = static_cast<Element*>(task.grad_query.data) + query * task.grad_query.row +
                  head * task.grad_query.head;
    write_row<Element>(grad, problem.size, 1, to);
  }
}

template <typename Element>
void backward_rows(const RowBackward& from) {
  RowBackward task = from;
  const RowProblem& problem = *task.problem;
  const BackwardScratch scratch = backward_scratch(task.scratch, problem);
  task.pairwise = scratch.pairwise;
  KeyBlock block;
  for (int64_t query = task.queries.begin; query < task.queries.end; ++query) {
    begin_backward<Element>(task, scratch, query);
    const int64_t first = task.rows.offsets[query];
    const KeyList keys{task.rows.columns + first, 0, task.rows.offsets[query + 1] - first};
    if (keys.count > 0) {
      list_keys<Element>(problem, query, keys, 0, block);
      for (int64_t head = task.heads.begin; head < task.heads.end; ++head) {
        BackwardRow row = backward_row(task, scratch, query, head);
        correct_row<Element>(task, keys, block, row);
        scratch.log_sum_rest[head] = row.log_sum_rest;
      }
    }
    for (int64_t at = 0; at < keys.count; at += kRowBlock) {
      if (keys.count > kRowBlock) list_keys<Element>(problem, query, keys, at, block);
      prefetch_keys<Element>(problem, task.rows, first + at, first + at + block.count, task.heads);
      for (int64_t head = task.heads.begin; head < task.heads.end; ++head) {
        backward_block<Element>(task, backward_row(task, scratch, query, head), first + at, block);
      }
    }
    write_grad_query<Element>(task, scratch, query);
  }
}

}  // namespace
}  // namespace heed::kernels::HEED_ISA
