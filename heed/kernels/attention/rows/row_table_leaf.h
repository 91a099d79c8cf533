// The source of row_ISA.cpp.
#pragma once

#include "heed/kernels/attention/rows/row_columns_leaf.h"
#include "heed/kernels/attention/rows/row_score_leaf.h"

namespace heed::kernels::HEED_ISA {
namespace {

// Calls Function<Element> for the problem's dtype.
#define HEED_ROW_FUNCTION(name, Function, Task)     \
  void name(const Task& task) {                     \
    if (task.problem->type == DataType::kFloat32) { \
      Function<float>(task);                        \
    } else {                                        \
      Function<uint16_t>(task);                     \
    }                                               \
  }

HEED_ROW_FUNCTION(forward, forward_rows, RowForward)
HEED_ROW_FUNCTION(backward_by_rows, backward_rows, RowBackward)
HEED_ROW_FUNCTION(backward_by_columns, backward_columns, ColumnBackward)
HEED_ROW_FUNCTION(attend, attend_rows, RowAttend)
HEED_ROW_FUNCTION(scores, scores_of_row, RowScores)

#undef HEED_ROW_FUNCTION

void begin(const RowProblem& problem, int64_t query, HeadSpan heads, const RowState& state) {
  if (problem.type == DataType::kFloat32) {
    begin_state<float>(problem, query, heads, state);
  } else {
    begin_state<uint16_t>(problem, query, heads, state);
  }
}

void finish(const RowProblem& problem, const RowState& state, int64_t query, HeadSpan heads,
            const MutableArray& output, float* log_sum_exp, float* log_sum_exp_rest) {
  if (problem.type == DataType::kFloat32) {
    finish_state<float>(problem, state, query, heads, output, log_sum_exp, log_sum_exp_rest);
  } else {
    finish_state<uint16_t>(problem, state, query, heads, output, log_sum_exp, log_sum_exp_rest);
  }
}

void terms(const RowScore& score, TermSide side, DataType type, const ConstArray& array, Range rows,
           int64_t heads, int64_t size, float* scratch, float* to) {
  if (type == DataType::kFloat32) {
    terms_of_rows<float>(score, side, array, rows, heads, size, scratch, to);
  } else {
    terms_of_rows<uint16_t>(score, side, array, rows, heads, size, scratch, to);
  }
}

}  // namespace

const RowTable kRowTable = {
    forward, backward_by_rows, backward_by_columns,
    begin,   attend,           merge_states,
    finish,  scores,           weights_of_scores,
    terms,   kRowScores,       static_cast<int>(sizeof(kRowScores) / sizeof(kRowScores[0])),
};

}  // namespace heed::kernels::HEED_ISA
