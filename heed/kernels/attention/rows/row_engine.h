// Attention over the edges of a graph: a pattern with sparse_rows(). Each query walks its list of
// keys; the backward's second half walks the transposed lists, so nothing is added to from two
// places. All heads of a node are taken together where they lie side by side in memory.
//
// Beside the results: 8 bytes for each edge and head while the backward runs (12 where the score
// has terms), for one batch at a time.
#pragma once

#include "heed/base/workers.h"
#include "heed/kernels/attention/problem.h"

namespace heed::kernels {

// Null where the row engine takes the problem, else why not.
const char* rows_refuse_forward(const Problem& problem);
const char* rows_refuse_backward(const Problem& problem, const BackwardArgs& args);

void rows_forward(const Problem& problem, const ForwardResult& result, const Workers& workers);
void rows_backward(const Problem& problem, const BackwardArgs& args, const Workers& workers);

}  // namespace heed::kernels
