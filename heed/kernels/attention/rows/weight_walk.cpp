#include "heed/kernels/attention/rows/weight_walk.h"

#include <cmath>
#include <numeric>
#include <utility>

#include "heed/base/error.h"
#include "heed/kernels/arithmetic.h"
#include "heed/kernels/vector/sharing.h"

namespace heed::kernels {
namespace {

Problem without_dropout(Problem problem) {
  problem.dropout = {};
  check_usage(find_row_score(problem.score.name) != nullptr, "attention weights: the score \"",
              problem.score.name, "\" is not in the list of scores");
  return problem;
}

}  // namespace

WeightSource::WeightSource(const Problem& problem, const Workers& workers)
    : problem_(without_dropout(problem)), rows_(problem_, workers) {}

void WeightSource::keep_sums(const Workers& workers) {
  const Shape& s = shape();
  std::vector<LogSum> sums(static_cast<size_t>(s.batch * s.heads * s.queries));
  const int64_t blocks = div_up(s.queries, WeightWalk::kQueries);
  const double operations = 2.0 * static_cast<double>(s.batch * s.heads * s.queries) *
                            static_cast<double>(s.keys * s.size);
  for_each_task(workers, s.batch * s.heads * blocks, operations, [&](int64_t task) {
    const int64_t head = task / blocks;
    const int64_t begin = task % blocks * WeightWalk::kQueries;
    WeightWalk(*this, head / s.heads, head % s.heads)
        .sum({begin, std::min(begin + WeightWalk::kQueries, s.queries)},
             sums.data() + head * s.queries + begin);
  });
  sums_ = std::move(sums);
}

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
  if (cover == Cover::kFull) {
    std::iota(keys_.begin(), keys_.begin() + keys.size(), keys.begin);
    return keys.size();
  }
  std::array<uint64_t, kRowBlock> columns;
  pattern->allowed(batch_, head_, one, keys, columns.data());
  int64_t count = 0;
  for (int64_t j = 0; j < keys.size(); ++j) {
    if ((columns[static_cast<size_t>(j)] & 1) == 0) continue;
    keys_[static_cast<size_t>(count++)] = keys.begin + j;
  }
  return count;
}

void WeightWalk::sum(Range queries, LogSum* to) {
  read_queries(queries);
  find_sums(queries);
  std::copy_n(query_sums_.begin(), queries.size(), to);
}

void WeightWalk::find_sums(Range queries) {
  const Shape& shape = source_.shape();
  kept_lists_ = 0;
  if (!source_.sums().empty()) {
    const int64_t row = (batch_ * shape.heads + head_) * shape.queries + queries.begin;
    std::copy_n(source_.sums().begin() + row, queries.size(), query_sums_.begin());
    return;
  }
  struct Sum {
    float largest = -std::numeric_limits<float>::infinity();
    double of_powers = 0;  // Σ exp(score − largest)
  };
  std::array<Sum, kQueries> sums{};
  int64_t list = 0;
  for_each_list(queries, {0, shape.keys}, [&](int64_t query, int64_t count) {
    score(queries, query, count, list);
    const float* scores = scores_of(list++);
    Sum& sum = sums[static_cast<size_t>(query - queries.begin)];
    const float largest = *std::max_element(scores, scores + count);
    if (largest > sum.largest) {
      if (sum.of_powers > 0) sum.of_powers *= std::exp(double{sum.largest} - double{largest});
      sum.largest = largest;
    }
    sum.of_powers += row_table().weights(scores, count, sum.largest, 0, weights_.data());
  });
  kept_lists_ = std::min(list, kMostKept);
  for (size_t i = 0; i < static_cast<size_t>(queries.size()); ++i) {
    LogSum& found = query_sums_[i] = {};
    if (sums[i].of_powers == 0) continue;  // no key
    const double log_sum = std::log(sums[i].of_powers);
    found.whole = static_cast<float>(sums[i].largest + log_sum);
    // In this order: of a large score nothing is lost.
    found.rest = static_cast<float>((double{sums[i].largest} - found.whole) + log_sum);
  }
}

float* WeightWalk::scores_of(int64_t list) {
  const auto begin = static_cast<size_t>(std::min(list, kMostKept) * kRowBlock);
  if (scores_.size() < begin + kRowBlock) scores_.resize(begin + kRowBlock);
  return scores_.data() + begin;
}

void WeightWalk::score(Range queries, int64_t query, int64_t count, int64_t list) {
  RowScores scores;
  scores.problem = &problem_;
  scores.query = query;
  scores.head = head_;
  scores.keys = {keys_.data(), 0, count};
  scores.query_row = query_rows_.data() + (query - queries.begin) * problem_.size;
  scores.scores = scores_of(list);
  scores.scratch = scratch_.data();
  row_table().scores(scores);
}

WeightSpan WeightWalk::weigh(Range queries, int64_t query, int64_t count, int64_t list) {
  const LogSum& sum = query_sums_[static_cast<size_t>(query - queries.begin)];
  const float* scores = scores_of(list);
  row_table().weights(scores, count, sum.whole, sum.rest, weights_.data());
  return {query, count, keys_.data(), weights_.data(), scores, sum};
}

}  // namespace heed::kernels
