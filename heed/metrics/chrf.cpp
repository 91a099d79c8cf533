#include "heed/metrics/chrf.h"

#include <utility>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/metrics/words.h"
#include "heed/text/characters/lower_case.h"
#include "heed/text/characters/unicode.h"

namespace heed::metrics {
namespace {

bool is_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

// A word with punctuation at its end, or otherwise at its start, is two.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (const std::string_view word : split_words(text)) {
    size_t first = 0;
    next_code_point(word, first);
    if (first == word.size()) {
      words.push_back(word);
    } else if (is_punctuation(word.back())) {
      words.push_back(word.substr(0, word.size() - 1));
      words.push_back(word.substr(word.size() - 1));
    } else if (is_punctuation(word.front())) {
      words.push_back(word.substr(0, 1));
      words.push_back(word.substr(1));
    } else {
      words.push_back(word);
    }
  }
  return words;
}

std::string without_space(std::string_view text) {
  std::string squeezed;
  for (const std::string_view word : split_words(text)) squeezed += word;
  return squeezed;
}

int64_t size_of(const NgramCounts& counts) {
  int64_t sum = 0;
  for (const auto& [ngram, count] : counts) sum += count;
  return sum;
}

}  // namespace

Chrf::Chrf(const ChrfOptions& options) : options_(options) {
  check_usage(options.character_order >= 1 && options.word_order >= 0 && options.beta > 0,
              "chrF: expected a character order of at least 1, a word order of at least 0 and a "
              "beta above 0, got ",
              options.character_order, ", ", options.word_order, " and ", options.beta);
  sums_.resize(static_cast<size_t>(options.character_order + options.word_order));
}

std::vector<Chrf::Order> Chrf::compare(std::string_view hypothesis,
                                       std::string_view reference) const {
  std::vector<Order> orders;
  const auto add = [&](const NgramCounts& ours, const NgramCounts& theirs) {
    // An order that the reference is too short for does not count.
    orders.push_back({.hypothesis = theirs.empty() ? 0 : size_of(ours),
                      .reference = size_of(theirs),
                      .common = common(ours, theirs)});
  };
  const std::string our_text = without_space(hypothesis);
  const std::string their_text = without_space(reference);
  const auto our_bounds = character_bounds(our_text);
  const auto their_bounds = character_bounds(their_text);
  for (int64_t n = 1; n <= options_.character_order; ++n) {
    const auto order = static_cast<size_t>(n);
    add(count_ngrams(our_text, our_bounds, order, 0),
        count_ngrams(their_text, their_bounds, order, 0));
  }
  if (options_.word_order == 0) return orders;
  const std::string our_words = joined(words_of(hypothesis), " ");
  const std::string their_words = joined(words_of(reference), " ");
  const auto our_word_bounds = word_bounds(our_words);
  const auto their_word_bounds = word_bounds(their_words);
  for (int64_t n = 1; n <= options_.word_order; ++n) {
    const auto order = static_cast<size_t>(n);
    add(count_ngrams(our_words, our_word_bounds, order, 1),
        count_ngrams(their_words, their_word_bounds, order, 1));
  }
  return orders;
}

void Chrf::add(std::string_view hypothesis, std::span<const std::string> references) {
  check_usage(!references.empty(), "chrF: expected at least one reference, got none");
  const bool lower = options_.letters == LetterCase::kLower;
  const std::string text = lower ? text::lower_case(hypothesis) : std::string(hypothesis);
  std::vector<Order> best;
  double best_score = -1;
  for (const std::string& reference : references) {
    std::vector<Order> orders = compare(text, lower ? text::lower_case(reference) : reference);
    const double score = score_of(orders);
    if (score > best_score) {
      best = std::move(orders);
      best_score = score;
    }
  }
  for (size_t i = 0; i < sums_.size(); ++i) {
    sums_[i].hypothesis += best[i].hypothesis;
    sums_[i].reference += best[i].reference;
    sums_[i].common += best[i].common;
  }
}

double Chrf::score() const { return score_of(sums_); }

double Chrf::score_of(const std::vector<Order>& orders) const {
  double precision = 0;
  double recall = 0;
  int64_t counted = 0;  // orders that both texts are long enough for
  for (const Order& order : orders) {
    if (order.hypothesis == 0 || order.reference == 0) continue;
    precision += static_cast<double>(order.common) / static_cast<double>(order.hypothesis);
    recall += static_cast<double>(order.common) / static_cast<double>(order.reference);
    ++counted;
  }
  if (precision + recall == 0) return 0;
  precision /= static_cast<double>(counted);
  recall /= static_cast<double>(counted);
  const double factor = options_.beta * options_.beta;
  return 100 * (1 + factor) * precision * recall / (factor * precision + recall);
}

}  // namespace heed::metrics
