#include "heed/inference/beam_search.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "heed/base/error.h"
#include "heed/inference/generation_fields.h"
#include "heed/ops/log_sum_exp.h"
#include "heed/ops/sharing.h"

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

bool is_better(const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; }

// One sequence of the batch.
struct Search {
  int64_t number = 0;
  std::vector<Beam> beams;
  std::vector<Hypothesis> finished;
};

void check(const BeamSearchOptions& o) {
  visit_generation_fields(o, nn::FieldCheck());
  check_usage(o.max_new_tokens > 0, "max_new_tokens: expected at least 1, got ", o.max_new_tokens);
  check_usage(o.num_return_sequences <= o.num_beams, "num_return_sequences: expected 1 to ",
              o.num_beams, " (num_beams), got ", o.num_return_sequences);
}

// Logits (R, V) of all beams' next tokens.
struct Scores {
  explicit Scores(const at::Tensor& given)
      : logits(given.to(at::kCPU, at::kFloat).contiguous()), width(logits.size(1)) {}

  std::span<const float> row(int64_t number) const {
    return {logits.const_data_ptr<float>() + number * width, static_cast<size_t>(width)};
  }

  at::Tensor logits;
  int64_t width;
};

// Tokens that are there become unlikelier by their distance to `zero`, once however often they are
// there.
void penalise(std::vector<int64_t> ids, double penalty, double zero, std::span<float> logits) {
  if (penalty == 1) return;
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  for (const int64_t id : ids) {
    if (id < 0 || id >= std::ssize(logits)) continue;
    float& logit = logits[static_cast<size_t>(id)];
    const double above = logit - zero;
    logit = static_cast<float>(zero + (above > 0 ? above / penalty : above * penalty));
  }
}

// The best candidates so far, at most `most` of them.
class Best {
 public:
  explicit Best(size_t most) : most_(most) {}

  // The continuations of beam number b, whose log-probabilities are `shift` above the logits.
  void add(size_t b, double shift, std::span<const float> logits) {
    float bar = bar_above(shift);
    for (size_t begin = 0; begin < logits.size(); begin += kStretch) {
      const auto stretch = logits.subspan(begin, std::min(kStretch, logits.size() - begin));
      if (!any_above(stretch, bar)) continue;
      for (size_t i = 0; i < stretch.size(); ++i) {
        if (!(stretch[i] > bar)) continue;
        take({shift + stretch[i], b, static_cast<int64_t>(begin + i)});
        bar = bar_above(shift);
      }
    }
  }

  // The best first.
  std::vector<Candidate> sorted() && {
    std::sort_heap(heap_.begin(), heap_.end(), before);
    return std::move(heap_);
  }

 private:
  static constexpr size_t kStretch = 64;  // logits that are looked over without a branch

  static bool any_above(std::span<const float> logits, float bar) {
    int any = 0;  // not a bool: the compiler makes vectors of this
    for (const float x : logits) any |= static_cast<int>(x > bar);
    return any != 0;
  }

  // Logits up to this one lead to no candidate that is wanted. Rounded down, so that none is missed
  // by comparing floats.
  float bar_above(double shift) const {
    constexpr float kLowest = -std::numeric_limits<float>::infinity();
    if (heap_.size() < most_) return kLowest;
    return std::nextafter(static_cast<float>(heap_.front().log_probability - shift), kLowest);
  }

  void take(const Candidate& candidate) {
    if (heap_.size() == most_) {
      if (!before(candidate, heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end(), before);
      heap_.pop_back();
    }
    heap_.push_back(candidate);
    std::push_heap(heap_.begin(), heap_.end(), before);
  }

  size_t most_;
  std::vector<Candidate> heap_;  // the first is the worst
};

class BeamSearch {
 public:
  BeamSearch(StepDecoder& decoder, const BeamSearchOptions& options)
      : decoder_(decoder), options_(options) {}

  std::vector<std::vector<Hypothesis>> run(const at::Tensor& start) {
    results_.resize(static_cast<size_t>(start.size(0)));
    for (int64_t i = 0; i < start.size(0); ++i) {
      const at::Tensor ids = start[i].to(at::kCPU).contiguous();
      const auto* first = ids.const_data_ptr<int64_t>();
      starts_.emplace_back(first, first + ids.numel());
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
    return std::find(options_.eos_token_ids.begin(), options_.eos_token_ids.end(), id) !=
           options_.eos_token_ids.end();
  }

  struct Asked {
    size_t count;
    int64_t step;
  };

  // The best continuations of all beams together, the best first.
  std::vector<Candidate> best_candidates(const Search& search, const Scores& scores,
                                         const Asked& asked) const {
    Best best(asked.count);
    std::vector<float> ruled;
    for (size_t b = 0; b < search.beams.size(); ++b) {
      const Beam& beam = search.beams[b];
      const std::span<const float> logits = scores.row(beam.row);
      const double sum = log_sum_exp(logits);
      if (!has_rules(asked.step)) {
        best.add(b, beam.log_probability - sum, logits);
        continue;
      }
      ruled.assign(logits.begin(), logits.end());
      rule(search, beam, {sum, asked.step}, ruled);
      const bool anew = options_.rules.renormalize_logits;
      best.add(b, beam.log_probability - (anew ? log_sum_exp(ruled) : sum), ruled);
    }
    return std::move(best).sorted();
  }

  bool has_rules(int64_t step) const {
    return !options_.rules.empty() || options_.repetition_penalty != 1 ||
           step < options_.min_new_tokens;
  }

  struct Ruled {
    double sum;  // of the logits as they were, its logarithm
    int64_t step;
  };

  // A forced token costs nothing, a forbidden one leaves the others their probabilities.
  void rule(const Search& search, const Beam& beam, const Ruled& at,
            std::span<float> logits) const {
    std::vector<int64_t> ids = starts_[static_cast<size_t>(search.number)];
    ids.insert(ids.end(), beam.ids.begin(), beam.ids.end());
    penalise(ids, options_.repetition_penalty, options_.num_beams > 1 ? at.sum : 0, logits);
    apply(options_.rules,
          {.ids = ids,
           .step = at.step,
           .last = at.step + 1 == options_.max_new_tokens,
           .too_early = too_early(options_.eos_token_ids, at.step, options_.min_new_tokens)},
          logits, static_cast<float>(at.sum));
  }

  void advance(const Scores& scores, int64_t step) {
    const auto ends = std::ssize(options_.eos_token_ids);
    const auto count = static_cast<size_t>(std::max<int64_t>(2, 1 + ends) * options_.num_beams);
    std::vector<char> finished(searches_.size());
    const double operations = 30 * static_cast<double>(scores.logits.numel());
    const auto search_one = [&](int64_t i) {
      Search& search = searches_[static_cast<size_t>(i)];
      const auto candidates = best_candidates(search, scores, {count, step});
      if (candidates.empty()) throw Error("beam search: expected logits that are numbers");
      finished[static_cast<size_t>(i)] = take(search, candidates, step);
    };
    for_each_task(std::ssize(searches_), operations, search_one);
    // The last one takes the place of one that is finished, so that all others keep their rows.
    for (size_t i = searches_.size(); i-- > 0;) {
      if (!finished[i]) continue;
      results_[static_cast<size_t>(searches_[i].number)] = ranked(std::move(searches_[i].finished));
      if (i + 1 < searches_.size()) searches_[i] = std::move(searches_.back());
      searches_.pop_back();
    }
  }

  // The best candidates become the beams; those that end become hypotheses, and the next best that
  // do not end take their places. Returns whether the sequence is finished.
  bool take(Search& search, const std::vector<Candidate>& candidates, int64_t step) const {
    const auto beams = static_cast<size_t>(options_.num_beams);
    const bool last = step + 1 == options_.max_new_tokens;
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
      search.finished.push_back(hypothesis(search, candidates[k], {ends, step}));
      while (spare < candidates.size() && is_end(candidates[spare].id)) ++spare;
      if (spare < candidates.size()) next.push_back(longer(search, candidates[spare++]));
    }
    search.beams = std::move(next);
    if (options_.early_stopping) keep_best(search.finished);
    if (last || search.beams.empty()) return true;
    if (options_.early_stopping) return is_over(search, step);
    const auto enough = static_cast<size_t>(options_.num_return_sequences);
    if (options_.length_penalty == 0) return best_ended && search.finished.size() >= enough;
    return search.finished.size() >= beams;
  }

  static Beam longer(const Search& search, const Candidate& candidate) {
    Beam beam = search.beams[candidate.beam];
    beam.ids.push_back(candidate.id);
    beam.log_probability = candidate.log_probability;
    return beam;
  }

  void keep_best(std::vector<Hypothesis>& finished) const {
    std::stable_sort(finished.begin(), finished.end(), is_better);
    const auto most = static_cast<size_t>(options_.num_beams);
    if (finished.size() > most) finished.resize(most);
  }

  // By the rules of transformers, behind that step.
  bool is_over(const Search& search, int64_t step) const {
    if (search.finished.size() < static_cast<size_t>(options_.num_beams)) return false;
    if (options_.early_stopping == EarlyStopping::kFull) return true;
    const bool may_grow =
        options_.early_stopping == EarlyStopping::kNever && options_.length_penalty > 0;
    const auto length = static_cast<double>(may_grow ? options_.max_new_tokens : step + 1);
    const double best = search.beams.front().log_probability;
    return best / std::pow(length, options_.length_penalty) <= search.finished.back().score;
  }

  struct Ending {
    bool by_end_token;
    int64_t step;
  };
  Hypothesis hypothesis(const Search& search, const Candidate& candidate,
                        const Ending& ending) const {
    Hypothesis made{.ids = search.beams[candidate.beam].ids,
                    .log_probability = candidate.log_probability};
    if (!ending.by_end_token) made.ids.push_back(candidate.id);
    const auto length = options_.early_stopping
                            ? static_cast<double>(ending.step + 1)
                            : static_cast<double>(std::max<size_t>(1, made.ids.size()));
    made.score = made.log_probability / std::pow(length, options_.length_penalty);
    return made;
  }

  std::vector<Hypothesis> ranked(std::vector<Hypothesis> all) const {
    std::stable_sort(all.begin(), all.end(), is_better);
    if (all.size() > static_cast<size_t>(options_.num_return_sequences)) {
      all.resize(static_cast<size_t>(options_.num_return_sequences));
    }
    return all;
  }

  // The decoder goes on with the rows of the beams that are left; their last tokens (R, 1). The
  // rows of a sequence stand side by side, and a beam stays where it is if it can: the decoder
  // copies what it remembers of a row that moves.
  at::Tensor keep_rows() {
    std::vector<int64_t> rows;
    std::vector<int64_t> ids;
    for (Search& search : searches_) {
      const auto first = static_cast<int64_t>(rows.size());
      for (Beam* beam : in_rows(search, first)) {
        rows.push_back(beam->row);
        ids.push_back(beam->ids.back());
        beam->row = static_cast<int64_t>(rows.size()) - 1;
      }
    }
    if (!rows.empty()) decoder_.select(at::tensor(rows, at::kLong));
    return at::tensor(ids, at::kLong).view({-1, 1});
  }

  // The beams in the order of their new rows, from row `first` on.
  static std::vector<Beam*> in_rows(Search& search, int64_t first) {
    const auto count = static_cast<int64_t>(search.beams.size());
    std::vector<Beam*> order(search.beams.size());
    std::vector<Beam*> moving;
    for (Beam& beam : search.beams) {
      const int64_t at = beam.row - first;
      if (at >= 0 && at < count && order[static_cast<size_t>(at)] == nullptr) {
        order[static_cast<size_t>(at)] = &beam;
      } else {
        moving.push_back(&beam);
      }
    }
    for (Beam*& place : order) {
      if (place != nullptr) continue;
      place = moving.back();
      moving.pop_back();
    }
    return order;
  }

  StepDecoder& decoder_;
  const BeamSearchOptions& options_;
  std::vector<std::vector<int64_t>> starts_;
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
