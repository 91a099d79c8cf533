#include "heed/kernels/attention/rows/row_problem.h"

#include <algorithm>

#include "heed/kernels/arithmetic.h"
#include "heed/kernels/vector/dropout.h"
#include "heed/kernels/vector/scratch.h"
#include "heed/kernels/vector/sharing.h"

namespace heed::kernels {
namespace {

constexpr int64_t kRowsATask = 1024;

// The rows of query or key.
struct TermRows {
  TermSide side;
  const ConstArray& array;
  int64_t heads;
  int64_t rows;
};

std::vector<float> terms_of(const Problem& problem, const RowScore& score, const TermRows& rows,
                            const Workers& workers) {
  const Shape& shape = problem.shape;
  std::vector<float> terms(static_cast<size_t>(shape.batch * rows.rows * rows.heads));
  const int64_t chunks = div_up(rows.rows, kRowsATask);
  const double operations = 2.0 * static_cast<double>(terms.size()) * shape.size;
  for_each_task(workers, shape.batch * chunks, operations, [&](int64_t task) {
    const int64_t batch = task / chunks;
    const int64_t begin = task % chunks * kRowsATask;
    const Range range{begin, std::min(begin + kRowsATask, rows.rows)};
    float* row = thread_scratch().take_alone<float>(shape.size);
    row_table().terms(score, rows.side, problem.type, at_batch(rows.array, problem.type, batch),
                      range, rows.heads, shape.size, row,
                      terms.data() + (batch * rows.rows + begin) * rows.heads);
  });
  return terms;
}

// (B, rows, H) keys of dropout.
std::vector<uint32_t> dropout_keys(const Problem& problem, DropoutAxis axis, int64_t rows,
                                   const Workers& workers) {
  const int64_t heads = problem.shape.heads;
  std::vector<uint32_t> keys(static_cast<size_t>(problem.shape.batch * heads * rows));
  const double operations = 30.0 * static_cast<double>(keys.size());
  for_each_task(workers, problem.shape.batch * heads, operations, [&](int64_t head) {
    std::vector<uint32_t> column(static_cast<size_t>(rows));
    fill_dropout_keys(problem.dropout.seed, dropout_head(problem.dropout, head, heads), axis, rows,
                      column.data());
    uint32_t* to = keys.data() + head / heads * heads * rows + head % heads;
    for (int64_t row = 0; row < rows; ++row) to[row * heads] = column[static_cast<size_t>(row)];
  });
  return keys;
}

}  // namespace

ConstArray at_batch(const ConstArray& array, DataType type, int64_t batch) {
  if (!array.data) return array;
  ConstArray at = array;
  at.data = static_cast<const char*>(array.data) + batch * array.batch * bytes_of(type);
  return at;
}

MutableArray at_batch(const MutableArray& array, DataType type, int64_t batch) {
  if (!array.data) return array;
  MutableArray at = array;
  at.data = static_cast<char*>(array.data) + batch * array.batch * bytes_of(type);
  return at;
}

RowProblems::RowProblems(const Problem& problem, const Workers& workers)
    : problem_(problem), score_(find_row_score(problem.score.name)) {
  const Shape& shape = problem.shape;
  if (score_->has_terms) {
    query_terms_ = terms_of(problem, *score_,
                            {TermSide::kQuery, problem.query, shape.heads, shape.queries}, workers);
    key_terms_ = terms_of(problem, *score_,
                          {TermSide::kKey, problem.key, shape.key_heads, shape.keys}, workers);
  }
  if (problem.dropout.probability > 0) {
    query_keys_ = dropout_keys(problem, DropoutAxis::kQuery, shape.queries, workers);
    key_keys_ = dropout_keys(problem, DropoutAxis::kKey, shape.keys, workers);
  }
}

RowProblem RowProblems::of_batch(int64_t batch) const {
  const Shape& shape = problem_.shape;
  RowProblem row;
  row.type = problem_.type;
  row.score = score_;
  row.heads = shape.heads;
  row.group = shape.heads / shape.key_heads;
  row.queries = shape.queries;
  row.size = shape.size;
  row.value_size = shape.value_size;
  row.query = at_batch(problem_.query, problem_.type, batch);
  row.key = at_batch(problem_.key, problem_.type, batch);
  row.value = at_batch(problem_.value, problem_.type, batch);
  row.scale = problem_.score.scale;
  row.parameter = problem_.score.parameter;
  if (score_->has_terms) {
    row.query_terms = query_terms_.data() + batch * shape.queries * shape.heads;
    row.key_terms = key_terms_.data() + batch * shape.keys * shape.key_heads;
  }
  row.modifiers = problem_.modifiers;
  DenseBias& dense = row.modifiers.dense;
  if (dense.data) {
    dense.data = static_cast<const char*>(dense.data) + batch * dense.batch * bytes_of(dense.type);
  }
  row.query_offset = problem_.query_offset;
  if (problem_.dropout.probability > 0) {
    row.query_keys = query_keys_.data() + batch * shape.queries * shape.heads;
    row.key_keys = key_keys_.data() + batch * shape.keys * shape.heads;
    row.threshold = dropout_threshold(problem_.dropout.probability);
    row.keep_factor = static_cast<float>(1 / (1 - problem_.dropout.probability));
  }
  return row;
}

}  // namespace heed::kernels
