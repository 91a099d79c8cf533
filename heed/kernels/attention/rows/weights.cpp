#include "heed/kernels/attention/rows/weights.h"

#include <algorithm>
#include <array>
#include <vector>

#include "heed/base/error.h"
#include "heed/kernels/arithmetic.h"
#include "heed/kernels/attention/rows/weight_walk.h"
#include "heed/kernels/vector/sharing.h"

namespace heed::kernels {
namespace {

constexpr int64_t kColumnsATask = 1024;

double operations_of(const Shape& shape, double queries) {
  return 2.0 * static_cast<double>(shape.batch * shape.heads * shape.keys * shape.size) * queries;
}

bool is_empty(const Shape& shape) { return shape.batch == 0 || shape.key_heads == 0; }

// One head of one batch.
struct HeadAt {
  int64_t batch;
  int64_t head;
  int64_t index;  // over batches and heads
};

// Calls body(head, block) for `blocks` blocks of every head.
template <typename Body>
void for_each_block(const WeightSource& source, int64_t blocks, const Workers& workers,
                    const Body& body) {
  const Shape& shape = source.shape();
  for_each_task(workers, shape.batch * shape.heads * blocks,
                operations_of(shape, static_cast<double>(shape.queries)), [&](int64_t task) {
                  const int64_t index = task / blocks;
                  body(HeadAt{index / shape.heads, index % shape.heads, index}, task % blocks);
                });
}

void check_numbers(const int64_t* numbers, int64_t count, int64_t limit, const char* what) {
  for (int64_t i = 0; numbers && i < count; ++i) {
    check_usage(numbers[i] >= 0 && numbers[i] < limit, "selected_weights: ", what, " ", numbers[i],
                " of ", limit, "; expected 0 to ", limit - 1);
  }
}

struct Weighed {
  float weight;
  int64_t key;
};

bool is_before(const Weighed& a, const Weighed& b) {
  return a.weight > b.weight || (a.weight == b.weight && a.key < b.key);
}

// The largest so far of one query: room for twice as many, thinned out when full.
class Best {
 public:
  void start(int64_t count) {
    count_ = static_cast<size_t>(count);
    found_.clear();
    full_ = false;
  }

  void take(Weighed next) {
    if (full_ && !is_before(next, last_)) return;
    found_.push_back(next);
    if (found_.size() >= 2 * count_ + 64) thin();
  }

  void write(float* values, int64_t* keys) {
    const size_t found = std::min(count_, found_.size());
    std::partial_sort(found_.begin(), found_.begin() + static_cast<std::ptrdiff_t>(found),
                      found_.end(), is_before);
    for (size_t i = 0; i < count_; ++i) {
      values[i] = i < found ? found_[i].weight : 0;
      keys[i] = i < found ? found_[i].key : -1;
    }
  }

 private:
  void thin() {
    const auto end = found_.begin() + static_cast<std::ptrdiff_t>(count_);
    std::nth_element(found_.begin(), end - 1, found_.end(), is_before);
    found_.erase(end, found_.end());
    last_ = found_.back();
    full_ = true;
  }

  size_t count_ = 0;
  std::vector<Weighed> found_;
  Weighed last_{};
  bool full_ = false;
};

}  // namespace

void selected_weights(const Problem& problem, const WeightSelection& selection, float* weights,
                      const Workers& workers) {
  const Shape& shape = problem.shape;
  check_numbers(selection.heads, selection.head_count, shape.heads, "head");
  check_numbers(selection.queries, selection.query_count, shape.queries, "query");
  if (is_empty(shape)) return;
  const WeightSource source(problem, workers);
  const int64_t heads = selection.heads ? selection.head_count : shape.heads;
  const int64_t queries = selection.queries ? selection.query_count : shape.queries;
  const double operations = operations_of(shape, static_cast<double>(queries));
  for_each_task(workers, shape.batch * heads * queries, operations, [&](int64_t task) {
    const int64_t h = task / queries % heads;
    const int64_t i = task % queries;
    const int64_t query = selection.queries ? selection.queries[i] : i;
    float* to = weights + task * shape.keys;
    std::fill_n(to, shape.keys, 0.0F);
    WeightWalk walk(source, task / (heads * queries), selection.heads ? selection.heads[h] : h);
    walk.walk({query, query + 1}, {0, shape.keys}, [&](const WeightSpan& span) {
      for (int64_t j = 0; j < span.count; ++j) to[span.keys[j]] += span.weights[j];
    });
  });
}

void top_weights(const Problem& problem, const TopWeights& top, const Workers& workers) {
  check_usage(top.count > 0, "top_weights: expected at least 1 weight for each query, got ",
              top.count);
  const Shape& shape = problem.shape;
  if (is_empty(shape)) return;
  const WeightSource source(problem, workers);
  const int64_t blocks = div_up(shape.queries, WeightWalk::kQueries);
  for_each_block(source, blocks, workers, [&](const HeadAt& at, int64_t block) {
    const int64_t begin = block * WeightWalk::kQueries;
    const Range queries{begin, std::min(begin + WeightWalk::kQueries, shape.queries)};
    std::vector<Best> best(static_cast<size_t>(queries.size()));
    for (Best& one : best) one.start(top.count);
    WeightWalk walk(source, at.batch, at.head);
    walk.walk(queries, {0, shape.keys}, [&](const WeightSpan& span) {
      Best& one = best[static_cast<size_t>(span.query - begin)];
      for (int64_t j = 0; j < span.count; ++j) one.take({span.weights[j], span.keys[j]});
    });
    for (int64_t query = queries.begin; query < queries.end; ++query) {
      const int64_t to = (at.index * shape.queries + query) * top.count;
      best[static_cast<size_t>(query - begin)].write(top.values + to, top.keys + to);
    }
  });
}

void block_weights(const Problem& problem, const WeightBlocks& blocks, const Workers& workers) {
  check_usage(blocks.query_block > 0 && blocks.key_block > 0,
              "block_weights: expected blocks of at least 1 × 1 pairs, got ", blocks.query_block,
              " × ", blocks.key_block);
  const Shape& shape = problem.shape;
  if (is_empty(shape)) return;
  const WeightSource source(problem, workers);
  const int64_t rows = div_up(shape.queries, blocks.query_block);
  const int64_t columns = div_up(shape.keys, blocks.key_block);
  for_each_block(source, rows, workers, [&](const HeadAt& at, int64_t row) {
    const int64_t begin = row * blocks.query_block;
    const Range queries{begin, std::min(begin + blocks.query_block, shape.queries)};
    std::vector<double> totals(static_cast<size_t>(columns));
    WeightWalk walk(source, at.batch, at.head);
    walk.walk(queries, {0, shape.keys}, [&](const WeightSpan& span) {
      for (int64_t j = 0; j < span.count; ++j) {
        totals[static_cast<size_t>(span.keys[j] / blocks.key_block)] += span.weights[j];
      }
    });
    for (int64_t column = 0; column < columns; ++column) {
      const int64_t keys = std::min(blocks.key_block, shape.keys - column * blocks.key_block);
      blocks.means[(at.index * rows + row) * columns + column] = static_cast<float>(
          totals[static_cast<size_t>(column)] / static_cast<double>(queries.size() * keys));
    }
  });
}

// Tasks are runs of keys, so that each sum is added up by one task in the order of the queries.
void column_weights(const Problem& problem, float* columns, const Workers& workers) {
  const Shape& shape = problem.shape;
  if (is_empty(shape)) return;
  WeightSource source(problem, workers);
  if (!source.lists() && shape.keys > kColumnsATask) source.keep_sums(workers);
  const int64_t run = source.lists() ? std::max<int64_t>(shape.keys, 1) : kColumnsATask;
  for_each_block(source, div_up(shape.keys, run), workers, [&](const HeadAt& at, int64_t block) {
    const Range keys{block * run, std::min((block + 1) * run, shape.keys)};
    std::vector<double> totals(static_cast<size_t>(keys.size()));
    WeightWalk walk(source, at.batch, at.head);
    walk.walk({0, shape.queries}, keys, [&](const WeightSpan& span) {
      for (int64_t j = 0; j < span.count; ++j) {
        totals[static_cast<size_t>(span.keys[j] - keys.begin)] += span.weights[j];
      }
    });
    for (int64_t key = keys.begin; key < keys.end; ++key) {
      columns[at.index * shape.keys + key] =
          static_cast<float>(totals[static_cast<size_t>(key - keys.begin)]);
    }
  });
}

// ln weight = score − log-sum-exp.
void row_entropies(const Problem& problem, float* entropies, const Workers& workers) {
  const Shape& shape = problem.shape;
  if (is_empty(shape)) return;
  const WeightSource source(problem, workers);
  const int64_t blocks = div_up(shape.queries, WeightWalk::kQueries);
  for_each_block(source, blocks, workers, [&](const HeadAt& at, int64_t block) {
    const int64_t begin = block * WeightWalk::kQueries;
    const Range queries{begin, std::min(begin + WeightWalk::kQueries, shape.queries)};
    std::array<double, WeightWalk::kQueries> totals{};
    WeightWalk walk(source, at.batch, at.head);
    walk.walk(queries, {0, shape.keys}, [&](const WeightSpan& span) {
      double& total = totals[static_cast<size_t>(span.query - begin)];
      for (int64_t j = 0; j < span.count; ++j) {
        if (span.weights[j] != 0) {
          total += span.weights[j] * ((double{span.sum.whole} - span.scores[j]) + span.sum.rest);
        }
      }
    });
    for (int64_t query = queries.begin; query < queries.end; ++query) {
      entropies[at.index * shape.queries + query] =
          static_cast<float>(totals[static_cast<size_t>(query - begin)]);
    }
  });
}

}  // namespace heed::kernels
