#include "heed/inference/best_spans.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "heed/base/error.h"

namespace heed::inference {
namespace {

bool is_better_span(const ScoredSpan& a, const ScoredSpan& b) {
  return std::tuple(-a.score, a.first, a.last) < std::tuple(-b.score, b.first, b.last);
}

// The `count` best of all that it is shown, as a heap whose top is the worst of them.
class BestFew {
 public:
  explicit BestFew(size_t count) : count_(count) {}

  void add(const ScoredSpan& span) {
    if (kept_.size() == count_) {
      if (count_ == 0 || !is_better_span(span, kept_.front())) return;
      std::pop_heap(kept_.begin(), kept_.end(), is_better_span);
      kept_.pop_back();
    }
    kept_.push_back(span);
    std::push_heap(kept_.begin(), kept_.end(), is_better_span);
  }

  std::vector<ScoredSpan> sorted() {
    std::sort_heap(kept_.begin(), kept_.end(), is_better_span);
    return std::move(kept_);
  }

 private:
  size_t count_;
  std::vector<ScoredSpan> kept_;
};

}  // namespace

BestSpans best_spans(const SpanScores& scores, const SpanLimits& limits) {
  const size_t size = scores.start.size();
  check_usage(scores.end.size() == size && limits.end <= size && limits.starts_end <= limits.end &&
                  limits.begin <= limits.starts_end && limits.max_length > 0,
              "best spans: expected as many start as end scores and begin <= starts_end <= end <= ",
              size, ", got ", scores.end.size(), " end scores and ", limits.begin, ", ",
              limits.starts_end, ", ", limits.end, ", spans of up to ", limits.max_length);
  BestFew few(limits.count);
  double greatest = -std::numeric_limits<double>::infinity();
  double sum = 0;  // of exp(score − greatest)
  for (size_t first = limits.begin; first < limits.starts_end; ++first) {
    const size_t end = std::min(limits.end, first + std::min(limits.max_length, size));
    for (size_t last = first; last < end; ++last) {
      const double score = double{scores.start[first]} + double{scores.end[last]};
      few.add({first, last, score});
      if (score > greatest) {
        sum = sum * std::exp(greatest - score) + 1;
        greatest = score;
      } else {
        sum += std::exp(score - greatest);
      }
    }
  }
  return {.best = few.sorted(), .log_sum = sum > 0 ? greatest + std::log(sum) : greatest};
}

}  // namespace heed::inference
