#include "heed/kernels/attention/rows/row_engine.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "heed/base/large_pages.h"
#include "heed/kernels/attention/patterns/sparse_columns.h"
#include "heed/kernels/attention/rows/row_gradients.h"
#include "heed/kernels/attention/rows/row_problem.h"
#include "heed/kernels/vector/scratch.h"
#include "heed/kernels/vector/sharing.h"

namespace heed::kernels {
namespace {

// Edges a task, or rows without edges: small enough to balance hubs.
constexpr int64_t kEdgesATask = 4096;

// Heads of one node that lie side by side are one run of memory and taken together; otherwise
// each head is a graph of its own, and its keys stay in cache.
std::vector<HeadSpan> head_spans(const Problem& problem) {
  const Shape& shape = problem.shape;
  const bool together = problem.key.head == shape.size || shape.heads == 1;
  std::vector<HeadSpan> spans;
  const int64_t group = shape.heads / shape.key_heads;
  const int64_t step = together ? shape.heads : group;
  for (int64_t h = 0; h < shape.heads; h += step) spans.push_back({h, h + step});
  return spans;
}

// Cuts [0, count) into ranges of about kEdgesATask entries.
std::vector<Range> cut_by_edges(const int64_t* offsets, int64_t count) {
  std::vector<Range> ranges;
  int64_t begin = 0;
  while (begin < count) {
    int64_t end =
        std::upper_bound(offsets + begin, offsets + count, offsets[begin] + kEdgesATask) - offsets;
    end = std::clamp(end - 1, begin + 1, std::min(count, begin + kEdgesATask));
    ranges.push_back({begin, end});
    begin = end;
  }
  return ranges;
}

float* scratch_for(const RowProblem& problem) {
  return thread_scratch().take_alone<float>(row_scratch_size(problem));
}

double operations_of(const Problem& problem) {
  const Shape& shape = problem.shape;
  const int64_t edges = problem.pattern->sparse_rows()->offsets[shape.queries];
  return 2.0 * static_cast<double>(shape.batch * shape.heads * (edges + shape.queries)) *
         static_cast<double>(shape.size + shape.value_size);
}

}  // namespace

const char* rows_refuse_forward(const Problem& problem) {
  const SparseRows* rows = problem.pattern ? problem.pattern->sparse_rows() : nullptr;
  if (!rows) return "the pattern is not given as lists of keys";
  constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();
  if (problem.shape.queries > kMost || rows->offsets[problem.shape.queries] > kMost) {
    return "more than 2^32 queries or edges";
  }
  if (find_row_score(problem.score.name) == nullptr) return "the score is none of its own";
  return nullptr;
}

const char* rows_refuse_backward(const Problem& problem, const BackwardArgs&) {
  return rows_refuse_forward(problem);
}

void rows_forward(const Problem& problem, const ForwardResult& result, const Workers& workers) {
  const Shape& shape = problem.shape;
  if (shape.batch * shape.key_heads * shape.queries == 0) return;
  const SparseRows rows = *problem.pattern->sparse_rows();
  const RowProblems problems(problem, workers);
  const std::vector<HeadSpan> spans = head_spans(problem);
  const std::vector<Range> ranges = cut_by_edges(rows.offsets, shape.queries);
  const auto range_count = static_cast<int64_t>(ranges.size());
  const auto span_count = static_cast<int64_t>(spans.size());
  const int64_t tasks = shape.batch * span_count * range_count;
  for_each_task(workers, tasks, operations_of(problem), [&](int64_t task) {
    const int64_t batch = task / (span_count * range_count);
    const RowProblem row = problems.of_batch(batch);
    RowForward forward;
    forward.problem = &row;
    forward.rows = rows;
    forward.queries = ranges[task % range_count];
    forward.heads = spans[task / range_count % span_count];
    forward.output = at_batch(result.output, problem.type, batch);
    const int64_t row_count = shape.heads * shape.queries;
    forward.log_sum_exp = result.log_sum_exp + batch * row_count;
    if (result.log_sum_exp_rest) {
      forward.log_sum_exp_rest = result.log_sum_exp_rest + batch * row_count;
    }
    forward.scratch = scratch_for(row);
    row_table().forward(forward);
  });
}

namespace {

TransposedPtr columns_of(const Problem& problem, const Workers& workers) {
  const Pattern& pattern = *problem.pattern;
  const Shape& shape = problem.shape;
  if (const auto* lists = dynamic_cast<const ListsByKey*>(&pattern)) {
    return lists->columns(shape.queries, shape.keys, workers);
  }
  return std::make_shared<TransposedRows>(
      transpose_rows(*pattern.sparse_rows(), shape.queries, shape.keys, workers));
}

// The backward of some batches at a time, as many as their edge stores may take memory for.
class Backward {
 public:
  Backward(const Problem& problem, const BackwardArgs& args, const Workers& workers)
      : problem_(problem),
        args_(args),
        workers_(workers),
        rows_(*problem.pattern->sparse_rows()),
        problems_(problem, workers),
        spans_(head_spans(problem)),
        side_(problem, args) {
    const Shape& shape = problem.shape;
    ranges_ = cut_by_edges(rows_.offsets, shape.queries);
    if (!args.grad_key.data && !args.grad_value.data) return;
    columns_ = columns_of(problem, workers);
    key_ranges_ = cut_by_edges(columns_->offsets.data(), shape.keys);
    const int64_t stored = numbers() * shape.heads * std::max<int64_t>(edges(), 1);
    store_.reset(new float[stored]);
    prefer_large_pages(store_.get(), sizeof(float) * static_cast<size_t>(stored));
  }

  void run() {
    for (int64_t batch = 0; batch < problem_.shape.batch; ++batch) {
      by_rows(batch);
      if (store_) by_columns(batch);
    }
    side_.finish();
  }

 private:
  int64_t edges() const { return rows_.offsets[problem_.shape.queries]; }

  // Numbers that the first pass leaves for each edge and head.
  int64_t numbers() const { return problems_.of_batch(0).score->has_terms ? 3 : 2; }

  // Each edge's numbers of all heads side by side where heads are taken together, else each head
  // apart.
  EdgeStore edge_store() const {
    EdgeStore store;
    if (!store_) return store;
    const bool together = spans_.size() == 1;
    const int64_t next = together ? problem_.shape.heads : 1;
    store.weight = store_.get();
    store.raw = store_.get() + next;
    if (numbers() == 3) store.term = store_.get() + 2 * next;
    store.edge = numbers() * next;
    store.head = together ? 1 : numbers() * edges();
    return store;
  }

  void by_rows(int64_t batch) {
    const RowProblem row = problems_.of_batch(batch);
    const int64_t row_count = problem_.shape.heads * problem_.shape.queries;
    RowBackward common;
    common.problem = &row;
    common.rows = rows_;
    common.output = at_batch(args_.output, problem_.type, batch);
    common.log_sum_exp = args_.log_sum_exp + batch * row_count;
    if (args_.log_sum_exp_rest) {
      common.log_sum_exp_rest = args_.log_sum_exp_rest + batch * row_count;
    }
    common.grad_output = at_batch(args_.grad_output, problem_.type, batch);
    if (args_.grad_log_sum_exp) {
      common.grad_log_sum_exp = args_.grad_log_sum_exp + batch * row_count;
    }
    common.grad_query = at_batch(args_.grad_query, problem_.type, batch);
    common.edges = edge_store();
    // A slice is a run of ranges that adds to side gradients of its own, in order.
    const auto range_count = static_cast<int64_t>(ranges_.size());
    const int64_t slices = side_.slices(range_count);
    const auto span_count = static_cast<int64_t>(side_.heads_apart() ? spans_.size() : 1);
    for_each_task(workers_, slices * span_count, operations_of(problem_), [&](int64_t task) {
      const int64_t slice = task % slices;
      RowBackward backward = common;
      backward.scratch = scratch_for(row);
      backward.side = side_.of_slice(batch, slice);
      for (int64_t range = range_count * slice / slices; range < range_count * (slice + 1) / slices;
           ++range) {
        backward.queries = ranges_[range];
        for (int64_t s = 0; s < static_cast<int64_t>(spans_.size()); ++s) {
          if (side_.heads_apart() && s != task / slices) continue;
          backward.heads = spans_[s];
          row_table().backward_rows(backward);
        }
      }
    });
    side_.end_batch(batch);
  }

  void by_columns(int64_t batch) {
    const RowProblem row = problems_.of_batch(batch);
    ColumnBackward common;
    common.problem = &row;
    common.columns = columns_->view();
    common.grad_output = at_batch(args_.grad_output, problem_.type, batch);
    common.grad_key = at_batch(args_.grad_key, problem_.type, batch);
    common.grad_value = at_batch(args_.grad_value, problem_.type, batch);
    common.edges = edge_store();
    const auto range_count = static_cast<int64_t>(key_ranges_.size());
    const auto span_count = static_cast<int64_t>(spans_.size());
    for_each_task(workers_, span_count * range_count, operations_of(problem_), [&](int64_t task) {
      const HeadSpan heads = spans_[task / range_count];
      ColumnBackward backward = common;
      backward.keys = key_ranges_[task % range_count];
      backward.key_heads = {heads.begin / row.group, heads.end / row.group};
      backward.scratch = scratch_for(row);
      row_table().backward_columns(backward);
    });
  }

  const Problem& problem_;
  const BackwardArgs& args_;
  const Workers& workers_;
  SparseRows rows_;
  RowProblems problems_;
  std::vector<HeadSpan> spans_;
  RowGradients side_;
  std::vector<Range> ranges_;
  std::vector<Range> key_ranges_;
  TransposedPtr columns_;
  std::unique_ptr<float[]> store_;
};

}  // namespace

void rows_backward(const Problem& problem, const BackwardArgs& args, const Workers& workers) {
  if (problem.shape.batch * problem.shape.key_heads == 0) return;
  Backward(problem, args, workers).run();
}

}  // namespace heed::kernels
