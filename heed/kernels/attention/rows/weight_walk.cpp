#include "heed/kernels/attention/rows/weight_walk.h"

#include "heed/base/error.h"

namespace heed::kernels {
namespace {

Problem without_dropout(Problem problem) {
  problem.dropout = {};
  check_usage(find_row_score(problem.score.name) != nullptr, "attention weights: the score \"",
              problem.score.name, "\" is not in the list of scores");
  return problem;
}

}  // namespace

WeightSource::WeightSource(const Problem& problem, const SavedSums& sums, const Workers& workers)
    : problem_(without_dropout(problem)), sums_(sums), rows_(problem_, workers) {}

WeightWalk::WeightWalk(const WeightSource& source, int64_t batch, int64_t head)
    : source_(source),
      batch_(batch),
      head_(head),
      problem_(source.of_batch(batch)),
      query_rows_(static_cast<size_t>(kQueries * problem_.size)),
      scratch_(static_cast<size_t>(row_scratch_size(problem_))) {}

void WeightWalk::read_queries(Range queries) {
  // Only the rows are wanted of the states that begin() sets up.
  float shift = 0;
  float sum = 0;
  std::vector<float> value(static_cast<size_t>(problem_.value_size));
  for (int64_t query = queries.begin; query < queries.end; ++query) {
    RowState state;
    state.query = query_rows_.data() + (query - queries.begin) * problem_.size;
    state.shift = &shift;
    state.sum = &sum;
    state.value = value.data();
    row_table().begin(problem_, query, {head_, head_ + 1}, state);
  }
}

int64_t WeightWalk::list_keys(int64_t query, Range keys) {
  const Range one{query, query + 1};
  const Pattern* pattern = source_.pattern();
  const Cover cover = pattern ? pattern->cover(batch_, head_, one, keys) : Cover::kFull;
  if (cover == Cover::kEmpty) return 0;
  std::array<uint64_t, kRowBlock> columns;
  if (cover == Cover::kFull) {
    columns.fill(1);
  } else {
    pattern->allowed(batch_, head_, one, keys, columns.data());
  }
  int64_t count = 0;
  for (int64_t j = 0; j < keys.size(); ++j) {
    if ((columns[static_cast<size_t>(j)] & 1) == 0) continue;
    keys_[static_cast<size_t>(count++)] = keys.begin + j;
  }
  return count;
}

WeightSpan WeightWalk::weigh(Range queries, int64_t query, int64_t count) {
  const Shape& shape = source_.shape();
  const int64_t row = (batch_ * shape.heads + head_) * shape.queries + query;
  RowScores scores;
  scores.problem = &problem_;
  scores.query = query;
  scores.head = head_;
  scores.keys = {keys_.data(), 0, count};
  scores.query_row = query_rows_.data() + (query - queries.begin) * problem_.size;
  scores.scores = scores_.data();
  scores.scratch = scratch_.data();
  row_table().scores(scores);
  row_table().weights(scores_.data(), count, source_.log_sum_exp(row), source_.rest(row),
                      weights_.data());
  return {query, count, keys_.data(), weights_.data(), scores_.data()};
}

}  // namespace heed::kernels
