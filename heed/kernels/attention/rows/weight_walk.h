// Walks over the weights of some queries and keys of one head, a few keys at a time.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "heed/kernels/attention/rows/row_problem.h"
#include "heed/kernels/attention/rows/weights.h"

namespace heed::kernels {

// Some of the weights of one query.
struct WeightSpan {
  int64_t query = 0;
  int64_t count = 0;
  const int64_t* keys = nullptr;   // (count)
  const float* weights = nullptr;  // (count)
  const float* scores = nullptr;   // (count), after modifiers
};

// What all walks over one problem share.
class WeightSource {
 public:
  WeightSource(const Problem& problem, const SavedSums& sums, const Workers& workers);

  const Shape& shape() const { return problem_.shape; }
  const Pattern* pattern() const { return problem_.pattern.get(); }
  const SparseRows* lists() const { return pattern() ? pattern()->sparse_rows() : nullptr; }
  RowProblem of_batch(int64_t batch) const { return rows_.of_batch(batch); }

  float log_sum_exp(int64_t row) const { return sums_.log_sum_exp[row]; }
  // What rounding took from it.
  float rest(int64_t row) const { return sums_.rest ? sums_.rest[row] : 0.0F; }

 private:
  Problem problem_;  // without dropout
  SavedSums sums_;
  RowProblems rows_;
};

// One worker's walk. Spans come in the order of the queries where there are lists, else in
// rectangles of kQueries × kRowBlock; the keys of one query always come in ascending order (or in
// that of its list).
class WeightWalk {
 public:
  static constexpr int64_t kQueries = 16;  // share a block of keys while it is in cache

  WeightWalk(const WeightSource& source, int64_t batch, int64_t head);

  template <typename Take>
  void walk(Range queries, Range keys, const Take& take) {
    for (int64_t first = queries.begin; first < queries.end; first += kQueries) {
      const Range some{first, std::min(first + kQueries, queries.end)};
      read_queries(some);
      if (source_.lists()) {
        walk_lists(some, keys, take);
      } else {
        walk_blocks(some, keys, take);
      }
    }
  }

 private:
  void read_queries(Range queries);
  // The keys of the query among `keys` (at most kRowBlock): how many.
  int64_t list_keys(int64_t query, Range keys);
  // Fills scores_ and weights_ for keys_[0 .. count).
  WeightSpan weigh(Range queries, int64_t query, int64_t count);

  template <typename Take>
  void walk_blocks(Range queries, Range keys, const Take& take) {
    for (int64_t begin = keys.begin; begin < keys.end; begin += kRowBlock) {
      const Range block{begin, std::min(begin + kRowBlock, keys.end)};
      for (int64_t query = queries.begin; query < queries.end; ++query) {
        const int64_t count = list_keys(query, block);
        if (count > 0) take(weigh(queries, query, count));
      }
    }
  }

  template <typename Take>
  void walk_lists(Range queries, Range keys, const Take& take) {
    const SparseRows& lists = *source_.lists();
    for (int64_t query = queries.begin; query < queries.end; ++query) {
      int64_t count = 0;
      for (int64_t e = lists.offsets[query]; e < lists.offsets[query + 1]; ++e) {
        const int64_t key = lists.columns[e];
        if (key < keys.begin || key >= keys.end) continue;
        keys_[static_cast<size_t>(count++)] = key;
        if (count < kRowBlock) continue;
        take(weigh(queries, query, count));
        count = 0;
      }
      if (count > 0) take(weigh(queries, query, count));
    }
  }

  const WeightSource& source_;
  int64_t batch_;
  int64_t head_;
  RowProblem problem_;
  std::vector<float> query_rows_;  // (kQueries, D)
  std::vector<float> scratch_;
  std::array<int64_t, kRowBlock> keys_;
  std::array<float, kRowBlock> scores_;
  std::array<float, kRowBlock> weights_;
};

}  // namespace heed::kernels
