// Walks over the weights of some queries and keys of one head, a few keys at a time.
#pragma once

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "heed/kernels/attention/rows/row_problem.h"
#include "heed/kernels/attention/rows/row_weights.h"

namespace heed::kernels {

// The log-sum-exp of a row in two parts: the second is what rounding took from the first.
struct LogSum {
  float whole = -std::numeric_limits<float>::infinity();
  float rest = 0;
};

// Some of the weights of one query.
struct WeightSpan {
  int64_t query = 0;
  int64_t count = 0;
  const int64_t* keys = nullptr;   // (count)
  const float* weights = nullptr;  // (count)
  const float* scores = nullptr;   // (count), after modifiers
  LogSum sum;                      // of the query
};

// What all walks over one problem share.
class WeightSource {
 public:
  WeightSource(const Problem& problem, const Workers& workers);

  // Finds the sums of all rows once, for walks that each see some of the keys alone.
  void keep_sums(const Workers& workers);

  const Shape& shape() const { return problem_.shape; }
  const Pattern* pattern() const { return problem_.pattern.get(); }
  const SparseRows* lists() const { return pattern() ? pattern()->sparse_rows() : nullptr; }
  RowProblem of_batch(int64_t batch) const { return rows_.of_batch(batch); }

  // The sums that were kept: (B, H, Nq), or none.
  const std::vector<LogSum>& sums() const { return sums_; }

 private:
  Problem problem_;  // without dropout
  RowProblems rows_;
  std::vector<LogSum> sums_;
};

// One worker's walk. A weight is exp(score − log-sum-exp) with a sum of these very scores: that of
// the forward pass may be of another engine, which rounds a score at another place, and where
// scores are large no weight would be right. Spans come in the order of the queries where there are
// lists, else in rectangles of kQueries × kRowBlock; the keys of one query always come in ascending
// order (or in that of its list).
class WeightWalk {
 public:
  static constexpr int64_t kQueries = 16;  // share a block of keys while it is in cache
  // Lists (of up to kRowBlock keys) whose scores are kept from the sums to the weights, a kilobyte
  // each: all those of 16,384 keys. Behind them they are made twice.
  static constexpr int64_t kMostKept = 1024;

  WeightWalk(const WeightSource& source, int64_t batch, int64_t head);

  template <typename Take>
  void walk(Range queries, Range keys, const Take& take) {
    for (int64_t first = queries.begin; first < queries.end; first += kQueries) {
      const Range some{first, std::min(first + kQueries, queries.end)};
      read_queries(some);
      find_sums(some);
      const bool is_whole = keys.begin == 0 && keys.end == source_.shape().keys;
      int64_t list = 0;
      for_each_list(some, keys, [&](int64_t query, int64_t count) {
        if (!is_whole || list >= kept_lists_) score(some, query, count, list);
        take(weigh(some, query, count, list));
        ++list;
      });
    }
  }

  // The log-sum-exps of at most kQueries queries, to[0] that of the first.
  void sum(Range queries, LogSum* to);

 private:
  void read_queries(Range queries);
  // Fills query_sums_; leaves scores behind, see kept_lists_.
  void find_sums(Range queries);
  // The keys of the query among `keys` (at most kRowBlock): how many.
  int64_t list_keys(int64_t query, Range keys);
  // Where the scores of the list of that number stand: (kRowBlock).
  float* scores_of(int64_t list);
  // Fills those for keys_[0 .. count), and weights_ from them.
  void score(Range queries, int64_t query, int64_t count, int64_t list);
  WeightSpan weigh(Range queries, int64_t query, int64_t count, int64_t list);

  // Calls body(query, count) for keys_[0 .. count), until all of `keys` that the queries may attend
  // to were there.
  template <typename Body>
  void for_each_list(Range queries, Range keys, const Body& body) {
    if (source_.lists()) {
      for_each_of_lists(queries, keys, body);
    } else {
      for_each_of_blocks(queries, keys, body);
    }
  }

  template <typename Body>
  void for_each_of_blocks(Range queries, Range keys, const Body& body) {
    for (int64_t begin = keys.begin; begin < keys.end; begin += kRowBlock) {
      const Range block{begin, std::min(begin + kRowBlock, keys.end)};
      for (int64_t query = queries.begin; query < queries.end; ++query) {
        const int64_t count = list_keys(query, block);
        if (count > 0) body(query, count);
      }
    }
  }

  template <typename Body>
  void for_each_of_lists(Range queries, Range keys, const Body& body) {
    const SparseRows& lists = *source_.lists();
    for (int64_t query = queries.begin; query < queries.end; ++query) {
      int64_t count = 0;
      for (int64_t e = lists.offsets[query]; e < lists.offsets[query + 1]; ++e) {
        const int64_t key = lists.columns[e];
        if (key < keys.begin || key >= keys.end) continue;
        keys_[static_cast<size_t>(count++)] = key;
        if (count < kRowBlock) continue;
        body(query, count);
        count = 0;
      }
      if (count > 0) body(query, count);
    }
  }

  const WeightSource& source_;
  int64_t batch_;
  int64_t head_;
  RowProblem problem_;
  std::vector<float> query_rows_;  // (kQueries, D)
  std::vector<float> scratch_;
  std::array<int64_t, kRowBlock> keys_;
  std::vector<float> scores_;  // (lists, kRowBlock)
  int64_t kept_lists_ = 0;     // of the queries at hand and all keys, whose scores are there
  std::array<float, kRowBlock> weights_;
  std::array<LogSum, kQueries> query_sums_;
};

}  // namespace heed::kernels
