#include "heed/kernels/attention/rows/row_kernels.h"

namespace heed::kernels {

const RowTable& row_table() { return HEED_PICK_ISA(kRowTable); }

const RowScore* find_row_score(const char* name) {
  const RowTable& table = row_table();
  return find_score(table.row_scores, table.score_count, name);
}

int64_t row_scratch_size(const RowProblem& problem) {
  // The backward's rows of query and key and their gradients, the output's gradient, the means and
  // terms, one output row; the other leaves need less.
  const int64_t rows = problem.heads * (2 * problem.size + 2 * problem.value_size + 4);
  // Pairwise scores: a block of keys across the lanes, prepared (twice as much), and its gradient;
  // a query likewise.
  const int64_t block = problem.score->is_pairwise ? 4 * (kRowBlock + 1) * problem.size : 0;
  return rows + problem.value_size + block;
}

}  // namespace heed::kernels
