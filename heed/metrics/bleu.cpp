#include "heed/metrics/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/io/named.h"
#include "heed/metrics/words.h"
#include "heed/text/characters/lower_case.h"

namespace heed::metrics {
namespace {

constexpr size_t kOrders = 4;

constexpr NameTable<BleuSmoothing, 2> kSmoothings = {{
    {"exp", BleuSmoothing::kExponential},
    {"none", BleuSmoothing::kNone},
}};

std::string prepared(std::string_view line, const BleuOptions& options) {
  if (options.letters == LetterCase::kKept) return bleu_tokenize(line, options.tokens);
  return bleu_tokenize(text::lower_case(line), options.tokens);
}

}  // namespace

BleuSmoothing bleu_smoothing_named(std::string_view name) {
  return value_named(kSmoothings, name, "BLEU smoothing");
}

std::vector<std::string> bleu_smoothing_names() { return names_in(kSmoothings); }

void Bleu::add(std::string_view hypothesis, std::span<const std::string> references) {
  check_usage(!references.empty(), "BLEU: expected at least one reference, got none");
  const std::string words = prepared(hypothesis, options_);
  const std::vector<size_t> bounds = word_bounds(words);
  const auto length_of = [](const std::vector<size_t>& of) {
    return of.empty() ? int64_t{0} : static_cast<int64_t>(of.size()) - 1;
  };
  const int64_t length = length_of(bounds);

  std::vector<std::string> texts;
  std::vector<std::vector<size_t>> text_bounds;
  int64_t closest = -1;
  for (const std::string& reference : references) {
    texts.push_back(prepared(reference, options_));
    text_bounds.push_back(word_bounds(texts.back()));
    const int64_t other = length_of(text_bounds.back());
    const int64_t difference = std::abs(other - length);
    const int64_t best = std::abs(closest - length);
    if (closest < 0 || difference < best || (difference == best && other < closest)) {
      closest = other;
    }
  }
  words_ += length;
  reference_words_ += closest;
  for (size_t n = 0; n < kOrders; ++n) {
    const NgramCounts counts = count_ngrams(words, bounds, n + 1, 1);
    NgramCounts most;
    for (size_t r = 0; r < texts.size(); ++r) {
      for (const auto& [ngram, count] : count_ngrams(texts[r], text_bounds[r], n + 1, 1)) {
        int64_t& known = most[ngram];
        known = std::max(known, count);
      }
    }
    correct_[n] += common(counts, most);
    total_[n] += std::max<int64_t>(0, length - static_cast<int64_t>(n));
  }
}

BleuScore Bleu::score() const {
  BleuScore result;
  result.words = words_;
  result.reference_words = reference_words_;
  if (words_ < reference_words_) {
    result.brevity_penalty =
        words_ == 0
            ? 0
            : std::exp(1 - static_cast<double>(reference_words_) / static_cast<double>(words_));
  }
  if (std::all_of(correct_.begin(), correct_.end(), [](int64_t n) { return n == 0; })) {
    return result;
  }
  double smoothing = 1;
  size_t orders = kOrders;
  for (size_t n = 0; n < kOrders && total_[n] > 0; ++n) {
    if (options_.orders == BleuOptions::Orders::kEffective) orders = n + 1;
    const auto total = static_cast<double>(total_[n]);
    if (correct_[n] > 0) {
      result.precisions[n] = 100 * static_cast<double>(correct_[n]) / total;
    } else if (options_.smoothing == BleuSmoothing::kExponential) {
      smoothing *= 2;
      result.precisions[n] = 100 / (smoothing * total);
    }
  }
  double logs = 0;
  for (size_t n = 0; n < orders; ++n) {
    if (result.precisions[n] == 0) return result;  // the geometric mean is 0
    logs += std::log(result.precisions[n]);
  }
  result.score = result.brevity_penalty * std::exp(logs / static_cast<double>(orders));
  return result;
}

}  // namespace heed::metrics
