#include "heed/doctor/linear_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "heed/doctor/samples.h"

namespace heed::doctor {
namespace {

constexpr int kRounds = 4;
constexpr float kRate = 0.1F;
constexpr float kStart = 0.5F;    // of the log-ratios of naive Bayes, where training starts
constexpr float kShrink = 1e-3F;  // L2, at each step on the weights that it touches
// The shares of the two models in their vote: naive Bayes has smaller scores and is as often right
// where the other is wrong as the other way round.
constexpr float kTrainedVote = 0.5F;
constexpr float kCountedVote = 0.75F;

uint32_t hash_of(std::string_view word, uint32_t seed) {
  uint32_t hash = 2166136261U ^ seed;  // FNV-1a
  for (const char c : word) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619U;
  return hash ^ (hash >> 15);
}

// The same numbers everywhere, unlike those of the standard library's distributions.
class Random {
 public:
  size_t below(size_t count) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<size_t>((state_ >> 33) % count);
  }

 private:
  uint64_t state_ = 1;
};

// Adds to `scores` what features weigh for each class. Long texts are no surer than short ones.
void add_scores(std::span<const uint32_t> features, const std::vector<float>& weights, float vote,
                std::vector<float>& scores) {
  const float scale = vote / std::sqrt(static_cast<float>(std::max<size_t>(features.size(), 1)));
  for (const uint32_t f : features) {
    for (size_t c = 0; c < scores.size(); ++c) scores[c] += scale * weights[f * scores.size() + c];
  }
}

void softmax(std::vector<float>& scores) {
  const float largest = *std::max_element(scores.begin(), scores.end());
  float sum = 0;
  for (float& score : scores) sum += score = std::exp(score - largest);
  for (float& score : scores) score /= sum;
}

// Replaces counts (buckets, classes) by ln P(feature | class) / P(feature), with `added` to each
// count. `totals`: the samples of each class.
void to_log_ratios(const std::vector<float>& totals, float added, std::vector<float>& counts) {
  const size_t classes = totals.size();
  const float all = std::accumulate(totals.begin(), totals.end(), 0.0F);
  for (size_t f = 0; f < counts.size(); f += classes) {
    float sum = 0;
    for (size_t c = 0; c < classes; ++c) sum += counts[f + c];
    if (sum == 0) continue;
    for (size_t c = 0; c < classes; ++c) {
      const float in_class = (counts[f + c] + added) / (totals[c] + 1);
      counts[f + c] = std::log(in_class / ((sum + added) / (all + 1)));
    }
  }
}

// Runs of three to five characters, the ends of the word among them.
void add_pieces(std::string_view word, std::vector<uint32_t>& features) {
  const std::string marked = "<" + std::string(word) + ">";
  for (uint32_t length = 3; length <= 5; ++length) {
    for (size_t i = 0; i + length <= marked.size(); ++i) {
      features.push_back(hash_of(std::string_view(marked).substr(i, length), length) %
                         HashedTexts::kBuckets);
    }
  }
}

}  // namespace

void HashedTexts::add(std::string_view text) {
  const std::string bare = bare_text(text);
  const size_t begin = features_.size();
  std::vector<uint32_t> pieces;
  uint32_t last = 0;
  for (size_t at = 0; at < bare.size();) {
    const size_t end = std::min(bare.find(' ', at), bare.size());
    const std::string_view spelt = std::string_view(bare).substr(at, end - at);
    const uint32_t word = hash_of(spelt, 0);
    features_.push_back(word % kBuckets);
    features_.push_back((last * 31U ^ word * 2654435761U) % kBuckets);
    add_pieces(spelt, pieces);
    last = word;
    at = end + 1;
  }
  keep_one_of_each(begin);
  const size_t middle = features_.size();
  features_.insert(features_.end(), pieces.begin(), pieces.end());
  keep_one_of_each(middle);
  word_counts_.push_back(middle - begin);
  ends_.push_back(features_.size());
}

void HashedTexts::keep_one_of_each(size_t begin) {
  const auto first = features_.begin() + static_cast<std::ptrdiff_t>(begin);
  std::sort(first, features_.end());
  features_.erase(std::unique(first, features_.end()), features_.end());
}

LinearModel::LinearModel(int32_t classes)
    : classes_(static_cast<size_t>(classes)),
      bias_(classes_, 0),
      weights_(HashedTexts::kBuckets * classes_, 0),
      counted_(weights_.size(), 0) {}

void LinearModel::count(const HashedTexts& texts, std::span<const LabelledSample> samples) {
  std::vector<float> totals(classes_, 0);
  for (const LabelledSample& sample : samples) {
    const auto c = static_cast<size_t>(sample.label);
    totals[c] += 1;
    for (const uint32_t f : texts[sample.text]) weights_[f * classes_ + c] += 1;
    for (const uint32_t f : texts.words(sample.text)) counted_[f * classes_ + c] += 1;
  }
  const auto all = static_cast<float>(samples.size());
  for (size_t c = 0; c < classes_; ++c) bias_[c] = std::log((totals[c] + 1) / (all + 1));
  to_log_ratios(totals, 1, counted_);
  to_log_ratios(totals, 0.5F, weights_);
  for (float& weight : weights_) weight *= kStart;
}

std::vector<float> LinearModel::probabilities(const HashedTexts& texts, size_t text) const {
  std::vector<float> scores = bias_;
  add_scores(texts[text], weights_, kTrainedVote, scores);
  add_scores(texts.words(text), counted_, kCountedVote, scores);
  softmax(scores);
  return scores;
}

void LinearModel::step(std::span<const uint32_t> features, size_t label,
                       std::vector<float>& squares) {
  std::vector<float> slopes = bias_;
  add_scores(features, weights_, 1, slopes);
  softmax(slopes);
  slopes[label] -= 1;
  const float scale = 1 / std::sqrt(static_cast<float>(features.size()));
  for (const uint32_t f : features) {
    for (size_t c = 0; c < classes_; ++c) {
      float& weight = weights_[f * classes_ + c];
      float& square = squares[f * classes_ + c];
      const float slope = scale * slopes[c] + kShrink * weight;
      square += slope * slope;
      weight -= kRate * slope / std::sqrt(square);
    }
  }
}

void LinearModel::train(const HashedTexts& texts, std::span<const LabelledSample> samples) {
  count(texts, samples);
  std::vector<float> squares(weights_.size(), 1e-2F);  // of the gradients so far: AdaGrad
  std::vector<size_t> order(samples.size());
  std::iota(order.begin(), order.end(), size_t{0});
  Random random;
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    for (const size_t i : order) {
      const std::span<const uint32_t> features = texts[samples[i].text];
      if (!features.empty()) step(features, static_cast<size_t>(samples[i].label), squares);
    }
  }
}

}  // namespace heed::doctor
