// The leaf functions that attend row by row: a query and the list of its keys at a time. The row
// engine (graphs), the decode engine (few queries over a long cache) and the weight statistics
// are scheduling around them. Compiled once for each instruction set (row_leaf.h).
#pragma once

#include <cstdint>

#include "heed/kernels/attention/patterns/sparse_columns.h"
#include "heed/kernels/attention/problem.h"
#include "heed/kernels/attention/scores/score.h"
#include "heed/kernels/vector/isa.h"

namespace heed::kernels {

// The most keys that a leaf looks at in one go.
inline constexpr int kRowBlock = 256;

// What a score does between a raw product (or a pairwise sum) and the scale, for some keys of one
// query; made from the structs of score.h by row_score_leaf.h.
struct RowScoreBlock {
  int count = 0;
  const float* raw = nullptr;  // (count), whole vectors readable, as key_terms
  float query_term = 0;
  const float* key_terms = nullptr;  // (count)
  float parameter = 0;
  float* values = nullptr;  // (count), whole vectors writable
  // In place of values: for a gradient of the values, those of raw and key_terms, and the sums for
  // query_term and parameter.
  const float* grads = nullptr;
  float* raw_grads = nullptr;
  float* key_term_grads = nullptr;
  float query_term_grad = 0;
  float parameter_grad = 0;
};

// A score in the row engines; the two functions are null where it is the identity.
struct RowScore : ScoreFunctions {
  void (*values)(const RowScoreBlock& block) = nullptr;
  void (*gradients)(RowScoreBlock& block) = nullptr;
};

// Problem as the leaves see it: one batch, no virtual calls.
struct RowProblem {
  DataType type = DataType::kFloat32;
  const RowScore* score = nullptr;
  int64_t heads = 0;
  int64_t group = 1;  // query heads that share a key head
  int64_t queries = 0;
  int64_t size = 0;
  int64_t value_size = 0;
  ConstArray query;  // of this batch; `batch` is not used
  ConstArray key;
  ConstArray value;
  float scale = 1;
  const float* parameter = nullptr;    // (H), for pairwise scores (H, D)
  const float* query_terms = nullptr;  // (Nq, H), where the score has terms
  const float* key_terms = nullptr;    // (Nk, Hk)
  Modifiers modifiers;                 // dense.data of this batch
  int64_t query_offset = 0;
  // Dropout: (Nq, H) and (Nk, H), see dropout.h; null: none.
  const uint32_t* query_keys = nullptr;
  const uint32_t* key_keys = nullptr;
  uint32_t threshold = 0;
  float keep_factor = 1;
};

// Keys given by number: up to kRowBlock, in this order.
struct KeyList {
  const int64_t* index = nullptr;  // null: begin, begin + 1, …
  int64_t begin = 0;
  int64_t count = 0;
};

// A span of heads whose rows are taken together.
struct HeadSpan {
  int64_t begin = 0;
  int64_t end = 0;
};

// Running softmax of some (query, head) rows: shift and sum (the largest score so far, and
// Σ exp(score − shift)), and Σ weight · value before the division.
struct RowState {
  float* query = nullptr;    // (heads, D), float32
  float* shift = nullptr;    // (heads)
  float* sum = nullptr;      // (heads)
  float* value = nullptr;    // (heads, Dv)
  float* scratch = nullptr;  // pairwise scores: what row_scratch_size() counts for them
};

// Forward over whole rows of a graph.
struct RowForward {
  const RowProblem* problem = nullptr;
  SparseRows rows;
  Range queries;
  HeadSpan heads;
  MutableArray output;           // of this batch
  float* log_sum_exp = nullptr;  // (H, Nq) of this batch
  float* log_sum_exp_rest = nullptr;
  float* scratch = nullptr;  // row_scratch_size() floats
};

// The gradients that come out of a row beside that of the query; each is added to. In double
// precision where many rows add to one number.
struct RowSideGradients {
  double* parameter = nullptr;       // like RowProblem::parameter
  double* alibi_slopes = nullptr;    // (H)
  double* relative_table = nullptr;  // like the table, contiguous
  int64_t relative_head = 0;         // its stride between heads; 0: one row for all
  double* shared_dense = nullptr;    // (H or 1, Nk): a bias that is the same for all queries
  float* dense = nullptr;            // else [h · dense_head + i · dense_row + j]
  int64_t dense_head = 0;            // of either
  int64_t dense_row = 0;
};

// What the first pass of the backward leaves for the second, for each edge and head: the weight
// after dropout (gradient of value = Σ weight · grad_output), the gradient of the raw score
// (gradient of key = Σ raw · query), and that of the key's term where the score has terms.
struct EdgeStore {
  float* weight = nullptr;  // at edge · edge + head · head
  float* raw = nullptr;
  float* term = nullptr;
  int64_t edge = 0;
  int64_t head = 0;
};

struct RowBackward {
  const RowProblem* problem = nullptr;
  SparseRows rows;
  Range queries;
  HeadSpan heads;
  ConstArray output;  // of this batch, as the following
  const float* log_sum_exp = nullptr;
  const float* log_sum_exp_rest = nullptr;
  ConstArray grad_output;
  const float* grad_log_sum_exp = nullptr;
  MutableArray grad_query;  // data null: not wanted
  RowSideGradients side;
  EdgeStore edges;
  float* scratch = nullptr;
  float* pairwise = nullptr;  // of the leaf: the part of scratch for pairwise scores
};

struct ColumnBackward {
  const RowProblem* problem = nullptr;
  SparseColumns columns;
  Range keys;
  HeadSpan key_heads;
  ConstArray grad_output;
  MutableArray grad_key;  // data null: not wanted
  MutableArray grad_value;
  EdgeStore edges;
  float* scratch = nullptr;
};

// A few rows over some of their keys: attends `keys` with query `query`, heads [heads.begin,
// heads.end), and updates the state.
struct RowAttend {
  const RowProblem* problem = nullptr;
  int64_t query = 0;
  HeadSpan heads;
  KeyList keys;  // any count
  RowState state;
  bool prefetch = false;  // whether keys after these are prefetched
};

// Scores of one query and head with some keys, after modifiers.
struct RowScores {
  const RowProblem* problem = nullptr;
  int64_t query = 0;
  int64_t head = 0;
  KeyList keys;                      // any count
  const float* query_row = nullptr;  // (D), float32
  float* scores = nullptr;           // (keys.count)
  float* scratch = nullptr;          // like RowState::scratch
};

struct RowTable {
  void (*forward)(const RowForward& task);
  void (*backward_rows)(const RowBackward& task);
  void (*backward_columns)(const ColumnBackward& task);
  // Copies the rows of one query as float32 into state.query and empties the rest of the state.
  void (*begin)(const RowProblem& problem, int64_t query, HeadSpan heads, const RowState& state);
  void (*attend)(const RowAttend& task);
  // Adds the second of two states of one row to the first.
  void (*merge)(const RowState& into, const RowState& from, int64_t heads, int64_t value_size);
  // Divides, and writes the output row and the log-sum-exp of each head; its rest, see
  // ForwardResult, where that is not null.
  void (*finish)(const RowProblem& problem, const RowState& state, int64_t query, HeadSpan heads,
                 const MutableArray& output, float* log_sum_exp, float* log_sum_exp_rest);
  void (*scores)(const RowScores& task);
  // weights[j] = exp(scores[j] − log_sum_exp − rest); returns their sum.
  float (*weights)(const float* scores, int64_t count, float log_sum_exp, float rest,
                   float* weights);
  // The terms of some rows of `heads` heads: to (rows, heads). `scratch` holds size floats.
  void (*terms)(const RowScore& score, TermSide side, DataType type, const ConstArray& array,
                Range rows, int64_t heads, int64_t size, float* scratch, float* to);
  const RowScore* row_scores;
  int score_count;
};

// The table of the instruction set in use.
const RowTable& row_table();

// The score of that name in the table, or null.
const RowScore* find_row_score(const char* name);

// Floats of scratch that a task over `heads` heads of this problem needs.
int64_t row_scratch_size(const RowProblem& problem);

HEED_TABLES(RowTable, kRowTable);

}  // namespace heed::kernels
