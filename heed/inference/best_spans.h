// The likeliest spans of a sequence, given a score of each token for being the first of the answer
// and one for being the last.                        Devlin et al. 2019, section 4.2: S·Tᵢ + E·Tⱼ
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace heed::inference {

struct SpanScores {
  std::span<const float> start;  // as many of both
  std::span<const float> end;
};

// Which spans [first, last], both included, may be answers.
struct SpanLimits {
  size_t begin = 0;       // first >= begin
  size_t starts_end = 0;  // first < starts_end
  size_t end = 0;         // last < end
  size_t max_length = 1;  // last - first < max_length
  size_t count = 1;       // how many to return, at most
};

struct ScoredSpan {
  size_t first = 0;
  size_t last = 0;
  double score = 0;  // of its start and its end together
};

struct BestSpans {
  std::vector<ScoredSpan> best;  // falling score; equal ones by first, then by last
  double log_sum = 0;            // log Σ exp(score) over all that may be: −∞ where none may
};

// Throws UsageError where the limits do not fit the scores.
BestSpans best_spans(const SpanScores& scores, const SpanLimits& limits);

}  // namespace heed::inference
