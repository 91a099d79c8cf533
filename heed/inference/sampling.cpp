#include "heed/inference/sampling.h"

#include <algorithm>
#include <cmath>

#include "heed/base/error.h"
#include "heed/inference/generation_fields.h"

namespace heed::inference {
namespace {

// SplitMix64 (Steele et al. 2014), a bijection that mixes well.
uint64_t mixed(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// In [0, 1).
double uniform_number(uint64_t seed, Draw draw) {
  const uint64_t bits = mixed(mixed(mixed(seed) ^ static_cast<uint64_t>(draw.sample)) ^
                              static_cast<uint64_t>(draw.step));
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace

void check(const SamplingOptions& options) { visit_generation_fields(options, nn::FieldCheck()); }

Sampler::Sampler(const SamplingOptions& options) : options_(options) { check(options); }

void Sampler::penalise(std::span<const int64_t> seen) {
  if (options_.repetition_penalty == 1) return;
  penalised_.assign(candidates_.size(), false);
  for (const int64_t id : seen) {
    const auto place = static_cast<size_t>(id);
    if (place >= candidates_.size() || penalised_[place]) continue;
    penalised_[place] = true;
    double& logit = candidates_[place].logit;
    logit = logit > 0 ? logit / options_.repetition_penalty : logit * options_.repetition_penalty;
  }
}

int64_t Sampler::greedy() const {
  return std::max_element(candidates_.begin(), candidates_.end(),
                          [](const Candidate& a, const Candidate& b) { return a.logit < b.logit; })
      ->id;
}

// The `count` most likely ones, the most likely first, equal ones by their ids.
void Sampler::keep_largest(size_t count) {
  const auto before = [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  };
  if (count < candidates_.size()) {
    std::nth_element(candidates_.begin(), candidates_.begin() + static_cast<int64_t>(count),
                     candidates_.end(), before);
    candidates_.resize(count);
  }
  std::sort(candidates_.begin(), candidates_.end(), before);
}

// A few tokens mostly hold the probability that is asked for, so that sorting all of a large
// vocabulary would be in vain: the most likely are taken in growing numbers until they suffice.
void Sampler::keep_nucleus() {
  const double largest =
      std::max_element(candidates_.begin(), candidates_.end(),
                       [](const Candidate& a, const Candidate& b) { return a.logit < b.logit; })
          ->logit;
  double total = 0;
  for (const Candidate& c : candidates_) total += std::exp(c.logit - largest);
  const std::vector<Candidate> all = candidates_;
  for (size_t count = 64;; count *= 8) {
    candidates_ = all;
    keep_largest(std::min(count, all.size()));
    double sum = 0;
    for (size_t i = 0; i < candidates_.size(); ++i) {
      sum += std::exp(candidates_[i].logit - largest);
      if (sum >= options_.top_p * total) {
        candidates_.resize(i + 1);
        return;
      }
    }
    if (candidates_.size() == all.size()) return;
  }
}

// p / p_max is e to the difference of the logits.
void Sampler::keep_likely() {
  double largest = candidates_.front().logit;
  for (const Candidate& c : candidates_) largest = std::max(largest, c.logit);
  const double least = largest + std::log(options_.min_p);
  std::erase_if(candidates_, [&](const Candidate& c) { return c.logit < least; });
}

int64_t Sampler::draw_from(double uniform) const {
  double largest = candidates_.front().logit;
  for (const Candidate& c : candidates_) largest = std::max(largest, c.logit);
  double total = 0;
  for (const Candidate& c : candidates_) total += std::exp(c.logit - largest);
  double left = uniform * total;
  for (const Candidate& c : candidates_) {
    left -= std::exp(c.logit - largest);
    if (left < 0) return c.id;
  }
  return greedy();  // rounding left nothing to draw from
}

int64_t Sampler::choose(std::span<const float> logits, std::span<const int64_t> seen, Draw draw) {
  candidates_.clear();
  bool finite = false;
  for (size_t i = 0; i < logits.size(); ++i) {
    finite = finite || std::isfinite(logits[i]);
    candidates_.push_back({static_cast<double>(logits[i]), static_cast<int64_t>(i)});
  }
  if (!finite || std::any_of(logits.begin(), logits.end(), [](float x) { return std::isnan(x); })) {
    throw Error(text_of("generation: expected logits that are numbers, got ",
                        finite ? "NaN among them" : "none", " at step ", draw.step));
  }
  penalise(seen);
  if (options_.temperature == 0 || options_.top_k == 1) return greedy();
  for (Candidate& c : candidates_) c.logit /= options_.temperature;
  if (options_.top_k > 0) keep_largest(static_cast<size_t>(options_.top_k));
  if (options_.top_p < 1) keep_nucleus();
  if (options_.min_p > 0) keep_likely();
  return draw_from(uniform_number(options_.seed, draw));
}

}  // namespace heed::inference
