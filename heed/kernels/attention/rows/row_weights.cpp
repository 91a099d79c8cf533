#include "heed/kernels/attention/rows/row_weights.h"

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

// A weight costs about as much beside its product of `size` numbers as 100 operations take.
double operations_of(const Shape& shape, double queries) {
  return static_cast<double>(shape.batch * shape.heads * shape.keys * (2 * shape.size + 100)) *
         queries;
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

// Takes what a summary wants of some queries, head by head.
class Summary {
 public:
  Summary(const WeightSource& source, const WeightSummary& wanted, Range queries)
      : source_(source), shape_(source.shape()), wanted_(wanted), queries_(queries) {
    if (wanted.blocks.means != nullptr) {
      blocks_.resize(static_cast<size_t>(div_up(shape_.keys, wanted.blocks.key_block)));
    }
    if (wanted.top.values != nullptr) best_.resize(static_cast<size_t>(queries.size()));
    if (wanted.entropies != nullptr) entropies_.resize(static_cast<size_t>(queries.size()));
  }

  void take(const HeadAt& at) {
    for (Best& one : best_) one.start(wanted_.top.count);
    std::fill(blocks_.begin(), blocks_.end(), 0.0);
    std::fill(entropies_.begin(), entropies_.end(), 0.0);
    float* mean = wanted_.mean == nullptr
                      ? nullptr
                      : wanted_.mean + (at.batch * shape_.queries + queries_.begin) * shape_.keys;
    if (mean != nullptr && at.head == 0) std::fill_n(mean, queries_.size() * shape_.keys, 0.0F);
    WeightWalk walk(source_, at.batch, at.head);
    walk.walk(queries_, {0, shape_.keys}, [&](const WeightSpan& span) {
      const auto row = static_cast<size_t>(span.query - queries_.begin);
      if (!best_.empty()) take_best(span, best_[row]);
      if (!blocks_.empty()) add_to_blocks(span);
      if (!entropies_.empty()) add_entropy(span, entropies_[row]);
      if (mean != nullptr) add_to_row(span, mean + static_cast<int64_t>(row) * shape_.keys);
    });
    write(at);
    if (mean != nullptr && at.head == shape_.heads - 1) {
      for (int64_t i = 0; i < queries_.size() * shape_.keys; ++i) {
        mean[i] /= static_cast<float>(shape_.heads);
      }
    }
  }

 private:
  static void take_best(const WeightSpan& span, Best& best) {
    for (int64_t j = 0; j < span.count; ++j) best.take({span.weights[j], span.keys[j]});
  }

  void add_to_blocks(const WeightSpan& span) {
    const int64_t size = wanted_.blocks.key_block;
    Range keys{0, 0};  // of the block at hand
    double* total = nullptr;
    for (int64_t j = 0; j < span.count; ++j) {
      const int64_t key = span.keys[j];
      if (key < keys.begin || key >= keys.end) {
        const int64_t block = key / size;
        keys = {block * size, (block + 1) * size};
        total = &blocks_[static_cast<size_t>(block)];
      }
      *total += span.weights[j];
    }
  }

  // ln weight = score − log-sum-exp.
  static void add_entropy(const WeightSpan& span, double& total) {
    for (int64_t j = 0; j < span.count; ++j) {
      if (span.weights[j] != 0) {
        total += span.weights[j] * ((double{span.sum.whole} - span.scores[j]) + span.sum.rest);
      }
    }
  }

  static void add_to_row(const WeightSpan& span, float* row) {
    for (int64_t j = 0; j < span.count; ++j) row[span.keys[j]] += span.weights[j];
  }

  void write(const HeadAt& at) {
    const int64_t row = at.index * shape_.queries + queries_.begin;
    for (size_t i = 0; i < best_.size(); ++i) {
      const int64_t to = (row + static_cast<int64_t>(i)) * wanted_.top.count;
      best_[i].write(wanted_.top.values + to, wanted_.top.keys + to);
    }
    std::transform(entropies_.begin(), entropies_.end(), wanted_.entropies + row,
                   [](double x) { return static_cast<float>(x); });
    const WeightBlocks& blocks = wanted_.blocks;
    for (size_t i = 0; i < blocks_.size(); ++i) {
      const auto column = static_cast<int64_t>(i);
      const int64_t columns = std::ssize(blocks_);
      const int64_t keys = std::min(blocks.key_block, shape_.keys - column * blocks.key_block);
      const int64_t rows = div_up(shape_.queries, blocks.query_block);
      const int64_t to = at.index * rows + queries_.begin / blocks.query_block;
      blocks.means[to * columns + column] =
          static_cast<float>(blocks_[i] / static_cast<double>(queries_.size() * keys));
    }
  }

  const WeightSource& source_;
  const Shape& shape_;
  const WeightSummary& wanted_;
  Range queries_;
  std::vector<Best> best_;         // of each query
  std::vector<double> blocks_;     // sums
  std::vector<double> entropies_;  // of each query
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

// A task is some queries of one head: those of a row of blocks, else those that a walk takes
// together; and all heads of them one after the other where their mean is wanted.
void weight_summary(const Problem& problem, const WeightSummary& summary, const Workers& workers) {
  const Shape& shape = problem.shape;
  if (is_empty(shape)) return;
  const WeightSource source(problem, workers);
  const bool has_blocks = summary.blocks.means != nullptr;
  const int64_t run = has_blocks ? summary.blocks.query_block : WeightWalk::kQueries;
  const int64_t runs = div_up(shape.queries, run);
  const int64_t together = summary.mean != nullptr ? shape.heads : 1;
  for_each_task(workers, shape.batch * shape.heads / together * runs,
                operations_of(shape, static_cast<double>(shape.queries)), [&](int64_t task) {
                  const int64_t begin = task % runs * run;
                  Summary some(source, summary, {begin, std::min(begin + run, shape.queries)});
                  const int64_t first = task / runs * together;
                  for (int64_t index = first; index < first + together; ++index) {
                    some.take({index / shape.heads, index % shape.heads, index});
                  }
                });
}

void top_weights(const Problem& problem, const TopWeights& top, const Workers& workers) {
  check_usage(top.count > 0, "top_weights: expected at least 1 weight for each query, got ",
              top.count);
  weight_summary(problem, {.top = top}, workers);
}

void block_weights(const Problem& problem, const WeightBlocks& blocks, const Workers& workers) {
  check_usage(blocks.query_block > 0 && blocks.key_block > 0,
              "block_weights: expected blocks of at least 1 × 1 pairs, got ", blocks.query_block,
              " × ", blocks.key_block);
  weight_summary(problem, {.blocks = blocks}, workers);
}

void row_entropies(const Problem& problem, float* entropies, const Workers& workers) {
  weight_summary(problem, {.entropies = entropies}, workers);
}

// Tasks are heads, or runs of keys where there are few heads, so that each sum is added up by one
// task in the order of the queries.
void column_weights(const Problem& problem, float* columns, const Workers& workers) {
  const Shape& shape = problem.shape;
  if (is_empty(shape)) return;
  WeightSource source(problem, workers);
  const bool by_heads = source.lists() || shape.batch * shape.heads >= 2 * workers.count();
  if (!by_heads && shape.keys > kColumnsATask) source.keep_sums(workers);
  const int64_t run = by_heads ? std::max<int64_t>(shape.keys, 1) : kColumnsATask;
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

}  // namespace heed::kernels
