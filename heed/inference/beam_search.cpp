#include "heed/inference/beam_search.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "heed/base/error.h"

namespace heed::inference {
namespace {

// A sequence that is being made, and its row in the decoder.
struct Beam {
  std::vector<int64_t> ids;
  double log_probability = 0;
  int64_t row = 0;
};

// One more token behind a beam.
struct Candidate {
  double log_probability = -std::numeric_limits<double>::infinity();
  size_t beam = 0;
  int64_t id = 0;
};

// Larger first; of equal ones the earlier beam, then the smaller id, so that results do not depend
// on anything else.
bool before(const Candidate& a, const Candidate& b) {
  if (a.log_probability != b.log_probability) return a.log_probability > b.log_probability;
  return a.beam != b.beam ? a.beam < b.beam : a.id < b.id;
}

// One sequence of the batch.
struct Search {
  int64_t number = 0;
  std::vector<Beam> beams;
  std::vector<Hypothesis> finished;
};

void check(const BeamSearchOptions& o) {
  check_usage(o.beams > 0, "beam search: expected at least one beam, got ", o.beams);
  check_usage(std::isfinite(o.length_penalty), "beam search: expected a length penalty that is a ",
              "number, got ", o.length_penalty);
  check_usage(o.most_tokens > 0, "beam search: expected at least one token, got ", o.most_tokens);
  check_usage(o.hypotheses > 0 && o.hypotheses <= o.beams, "beam search: expected 1 to ", o.beams,
              " hypotheses (the number of beams), got ", o.hypotheses);
}

// Logits, and what turns them into log-probabilities.
struct Scores {
  explicit Scores(const at::Tensor& given)
      : logits(given.to(at::kCPU, at::kFloat).contiguous()),
        log_sums(at::logsumexp(logits, 1)),
        width(logits.size(1)) {}

  std::span<const float> row(int64_t number) const {
    return {logits.const_data_ptr<float>() + number * width, static_cast<size_t>(width)};
  }
  double log_sum(int64_t number) const { return log_sums.const_data_ptr<float>()[number]; }

  at::Tensor logits;    // (R, V)
  at::Tensor log_sums;  // (R)
  int64_t width;
};

// The `count` best continuations of all beams together, the best first.
std::vector<Candidate> best_candidates(const std::vector<Beam>& beams, const Scores& scores,
                                       size_t count) {
  std::vector<Candidate> best;  // a heap whose first is the worst
  for (size_t b = 0; b < beams.size(); ++b) {
    const std::span<const float> logits = scores.row(beams[b].row);
    const double shift = beams[b].log_probability - scores.log_sum(beams[b].row);
    // Rounded down, so that no candidate is missed by comparing floats.
    float bar = -std::numeric_limits<float>::infinity();
    const auto raise_bar = [&] {
      if (best.size() == count) {
        bar = std::nextafter(static_cast<float>(best.front().log_probability - shift),
                             -std::numeric_limits<float>::infinity());
      }
    };
    raise_bar();
    for (size_t id = 0; id < logits.size(); ++id) {
      if (!(logits[id] > bar)) continue;
      const Candidate candidate{shift + logits[id], b, static_cast<int64_t>(id)};
      if (best.size() == count) {
        if (!before(candidate, best.front())) continue;
        std::pop_heap(best.begin(), best.end(), before);
        best.pop_back();
      }
      best.push_back(candidate);
      std::push_heap(best.begin(), best.end(), before);
      raise_bar();
    }
  }
  std::sort_heap(best.begin(), best.end(), before);
  return best;
}

class BeamSearch {
 public:
  BeamSearch(StepDecoder& decoder, const BeamSearchOptions& options)
      : decoder_(decoder), options_(options) {}

  std::vector<std::vector<Hypothesis>> run(const at::Tensor& start) {
    results_.resize(static_cast<size_t>(start.size(0)));
    for (int64_t i = 0; i < start.size(0); ++i) {
      searches_.push_back({.number = i, .beams = {{.ids = {}, .log_probability = 0, .row = i}}});
    }
    at::Tensor ids = start;
    for (int64_t step = 0; !searches_.empty(); ++step) {
      if (options_.cancelled && options_.cancelled()) throw Interrupted("beam search: stopped");
      advance(Scores(decoder_.step(ids)), step);
      ids = keep_rows();
    }
    return std::move(results_);
  }

 private:
  bool is_end(int64_t id) const {
    return std::find(options_.end_ids.begin(), options_.end_ids.end(), id) !=
           options_.end_ids.end();
  }

  void advance(const Scores& scores, int64_t step) {
    const auto count = static_cast<size_t>(2 * options_.beams);
    std::vector<char> finished(searches_.size());
    at::parallel_for(0, static_cast<int64_t>(searches_.size()), 1, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; ++i) {
        Search& search = searches_[static_cast<size_t>(i)];
        const auto candidates = best_candidates(search.beams, scores, count);
        if (candidates.empty()) throw Error("beam search: expected logits that are numbers");
        finished[static_cast<size_t>(i)] = take(search, candidates, step);
      }
    });
    std::vector<Search> going_on;
    for (size_t i = 0; i < searches_.size(); ++i) {
      if (finished[i]) {
        results_[static_cast<size_t>(searches_[i].number)] = ranked(searches_[i].finished);
      } else {
        going_on.push_back(std::move(searches_[i]));
      }
    }
    searches_ = std::move(going_on);
  }

  // The best candidates become the beams; those that end become hypotheses, and the next best that
  // do not end take their places. Returns whether the sequence is finished.
  bool take(Search& search, const std::vector<Candidate>& candidates, int64_t step) const {
    const auto beams = static_cast<size_t>(options_.beams);
    const bool last = step + 1 == options_.most_tokens;
    std::vector<Beam> next;
    size_t spare = beams;
    bool best_ended = false;
    for (size_t k = 0; k < std::min(beams, candidates.size()); ++k) {
      const bool ends = is_end(candidates[k].id);
      if (!ends && !last) {
        next.push_back(longer(search, candidates[k]));
        continue;
      }
      best_ended = best_ended || k == 0;
      search.finished.push_back(hypothesis(search, candidates[k], ends));
      while (spare < candidates.size() && is_end(candidates[spare].id)) ++spare;
      if (spare < candidates.size()) next.push_back(longer(search, candidates[spare++]));
    }
    search.beams = std::move(next);
    if (last || search.beams.empty()) return true;
    const auto enough = static_cast<size_t>(options_.hypotheses);
    if (options_.length_penalty == 0) return best_ended && search.finished.size() >= enough;
    return search.finished.size() >= beams;
  }

  static Beam longer(const Search& search, const Candidate& candidate) {
    Beam beam = search.beams[candidate.beam];
    beam.ids.push_back(candidate.id);
    beam.log_probability = candidate.log_probability;
    return beam;
  }

  Hypothesis hypothesis(const Search& search, const Candidate& candidate, bool ends) const {
    Hypothesis made{.ids = search.beams[candidate.beam].ids,
                    .log_probability = candidate.log_probability};
    if (!ends) made.ids.push_back(candidate.id);
    const auto length = static_cast<double>(std::max<size_t>(1, made.ids.size()));
    made.score = made.log_probability / std::pow(length, options_.length_penalty);
    return made;
  }

  std::vector<Hypothesis> ranked(std::vector<Hypothesis> all) const {
    std::stable_sort(all.begin(), all.end(),
                     [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
    if (all.size() > static_cast<size_t>(options_.hypotheses)) {
      all.resize(static_cast<size_t>(options_.hypotheses));
    }
    return all;
  }

  // The decoder goes on with the rows of the beams that are left; their last tokens (R, 1).
  at::Tensor keep_rows() {
    std::vector<int64_t> rows;
    std::vector<int64_t> ids;
    for (Search& search : searches_) {
      for (Beam& beam : search.beams) {
        rows.push_back(beam.row);
        ids.push_back(beam.ids.back());
        beam.row = static_cast<int64_t>(rows.size()) - 1;
      }
    }
    if (!rows.empty()) decoder_.select(at::tensor(rows, at::kLong));
    return at::tensor(ids, at::kLong).view({-1, 1});
  }

  StepDecoder& decoder_;
  const BeamSearchOptions& options_;
  std::vector<Search> searches_;  // those that are not finished
  std::vector<std::vector<Hypothesis>> results_;
};

}  // namespace

std::vector<std::vector<Hypothesis>> beam_search(StepDecoder& decoder, const at::Tensor& start,
                                                 const BeamSearchOptions& options) {
  check(options);
  return BeamSearch(decoder, options).run(start);
}

}  // namespace heed::inference
