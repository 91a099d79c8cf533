// A quick linear classifier of texts: words, pairs of words and pieces of words as hashed features,
// softmax regression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace heed::doctor {

// The features of many texts, as numbers of hash buckets, each once a text.
class HashedTexts {
 public:
  static constexpr uint32_t kBuckets = 1U << 18;

  void add(std::string_view text);
  size_t size() const { return ends_.size(); }
  std::span<const uint32_t> operator[](size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::span(features_).subspan(begin, ends_[i] - begin);
  }

 private:
  void add_pieces(std::string_view word);

  std::vector<uint32_t> features_;
  std::vector<size_t> ends_;
};

struct LabelledSample {
  size_t text = 0;  // number of a HashedTexts
  int32_t label = 0;
};

class LinearModel {
 public:
  explicit LinearModel(int32_t classes);

  // Starts from the log-ratios of naive Bayes and goes a few times through the samples, in an order
  // that depends on nothing but their number.
  void train(const HashedTexts& texts, std::span<const LabelledSample> samples);

  std::vector<float> probabilities(std::span<const uint32_t> features) const;

 private:
  void start_from_counts(const HashedTexts& texts, std::span<const LabelledSample> samples);

  size_t classes_;
  std::vector<float> weights_;  // (buckets, classes)
  std::vector<float> bias_;
};

}  // namespace heed::doctor
