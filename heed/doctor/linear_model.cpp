#include "heed/doctor/linear_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "heed/doctor/samples.h"

namespace heed::doctor {
namespace {

constexpr int kRounds = 3;
constexpr float kRate = 0.1F;
constexpr float kStart = 1;       // of the log-ratios of naive Bayes
constexpr float kShrink = 1e-3F;  // L2, at each step on the weights that it touches

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

}  // namespace

void HashedTexts::add(std::string_view text) {
  const std::string bare = bare_text(text);
  const size_t begin = features_.size();
  uint32_t last = 0;
  for (size_t at = 0; at < bare.size();) {
    const size_t end = std::min(bare.find(' ', at), bare.size());
    const uint32_t word = hash_of(std::string_view(bare).substr(at, end - at), 0);
    features_.push_back(word % kBuckets);
    add_pieces(std::string_view(bare).substr(at, end - at));
    features_.push_back((last * 31U ^ word * 2654435761U) % kBuckets);
    last = word;
    at = end + 1;
  }
  std::sort(features_.begin() + static_cast<std::ptrdiff_t>(begin), features_.end());
  features_.erase(
      std::unique(features_.begin() + static_cast<std::ptrdiff_t>(begin), features_.end()),
      features_.end());
  ends_.push_back(features_.size());
}

// Runs of three to five characters, the ends of the word among them.
void HashedTexts::add_pieces(std::string_view word) {
  const std::string marked = "<" + std::string(word) + ">";
  for (uint32_t length = 3; length <= 5; ++length) {
    for (size_t i = 0; i + length <= marked.size(); ++i) {
      features_.push_back(hash_of(std::string_view(marked).substr(i, length), length) % kBuckets);
    }
  }
}

LinearModel::LinearModel(int32_t classes)
    : classes_(static_cast<size_t>(classes)),
      weights_(static_cast<size_t>(HashedTexts::kBuckets) * classes_, 0),
      bias_(classes_, 0) {}

void LinearModel::start_from_counts(const HashedTexts& texts,
                                    std::span<const LabelledSample> samples) {
  std::vector<float> totals(classes_, 0);
  std::vector<float> counts(weights_.size(), 0);
  for (const LabelledSample& sample : samples) {
    const auto c = static_cast<size_t>(sample.label);
    totals[c] += 1;
    for (const uint32_t f : texts[sample.text]) counts[f * classes_ + c] += 1;
  }
  const float all = std::accumulate(totals.begin(), totals.end(), 0.0F);
  for (size_t c = 0; c < classes_; ++c) bias_[c] = std::log((totals[c] + 1) / (all + 1));
  for (size_t f = 0; f < HashedTexts::kBuckets; ++f) {
    float sum = 0;
    for (size_t c = 0; c < classes_; ++c) sum += counts[f * classes_ + c];
    if (sum == 0) continue;
    for (size_t c = 0; c < classes_; ++c) {
      const float in_class = (counts[f * classes_ + c] + 0.5F) / (totals[c] + 1);
      weights_[f * classes_ + c] = kStart * std::log(in_class / ((sum + 0.5F) / (all + 1)));
    }
  }
}

std::vector<float> LinearModel::probabilities(std::span<const uint32_t> features) const {
  std::vector<float> scores = bias_;
  // Long texts are no surer than short ones.
  const float scale = 1 / std::sqrt(static_cast<float>(std::max<size_t>(features.size(), 1)));
  for (const uint32_t f : features) {
    for (size_t c = 0; c < classes_; ++c) scores[c] += scale * weights_[f * classes_ + c];
  }
  const float largest = *std::max_element(scores.begin(), scores.end());
  float sum = 0;
  for (float& score : scores) sum += score = std::exp(score - largest);
  for (float& score : scores) score /= sum;
  return scores;
}

void LinearModel::train(const HashedTexts& texts, std::span<const LabelledSample> samples) {
  start_from_counts(texts, samples);
  std::vector<float> squares(weights_.size(), 1e-2F);  // of the gradients so far: AdaGrad
  std::vector<size_t> order(samples.size());
  std::iota(order.begin(), order.end(), size_t{0});
  Random random;
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    for (const size_t i : order) {
      const LabelledSample& sample = samples[i];
      const std::span<const uint32_t> features = texts[sample.text];
      if (features.empty()) continue;
      std::vector<float> slopes = probabilities(features);
      slopes[static_cast<size_t>(sample.label)] -= 1;
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
  }
}

}  // namespace heed::doctor
