// A quick classifier of texts: words, pairs of words and pieces of words as hashed features, and
// two linear models that vote, softmax regression on all of them and naive Bayes on words and
// pairs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace heed::doctor {

// The features of many texts, as numbers of hash buckets: of each text its words and pairs, each
// once, and behind them its pieces of words, each once.
class HashedTexts {
 public:
  static constexpr uint32_t kBuckets = 1U << 18;

  void add(std::string_view text);
  size_t size() const { return ends_.size(); }
  std::span<const uint32_t> operator[](size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::span(features_).subspan(begin, ends_[i] - begin);
  }
  // Without the pieces.
  std::span<const uint32_t> words(size_t i) const { return (*this)[i].first(word_counts_[i]); }

 private:
  // What stands from `begin` on, each once.
  void keep_one_of_each(size_t begin);

  std::vector<uint32_t> features_;
  std::vector<size_t> word_counts_;
  std::vector<size_t> ends_;
};

struct LabelledSample {
  size_t text = 0;  // number of a HashedTexts
  int32_t label = 0;
};

class LinearModel {
 public:
  explicit LinearModel(int32_t classes);

  // Counts, and then goes a few times through the samples, in an order that depends on nothing but
  // their number.
  void train(const HashedTexts& texts, std::span<const LabelledSample> samples);

  // What both models say of a text together.
  std::vector<float> probabilities(const HashedTexts& texts, size_t text) const;

 private:
  void count(const HashedTexts& texts, std::span<const LabelledSample> samples);
  void step(std::span<const uint32_t> features, size_t label, std::vector<float>& squares);

  size_t classes_;
  std::vector<float> bias_;     // of both models
  std::vector<float> weights_;  // (buckets, classes)
  std::vector<float> counted_;  // (buckets, classes), of naive Bayes
};

}  // namespace heed::doctor
