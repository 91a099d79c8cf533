// chrF (Popović 2015) and chrF++ (Popović 2017), the same number as sacrebleu.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heed/metrics/bleu.h"

namespace heed::metrics {

struct ChrfOptions {
  int64_t character_order = 6;
  int64_t word_order = 0;  // 2: chrF++
  double beta = 2;         // how much more recall counts than precision
  LetterCase letters = LetterCase::kKept;
};

// Gathers counts text by text; the score is that of all of them together.
class Chrf {
 public:
  // UsageError: a character order below 1, a word order below 0, a beta that is not above 0.
  explicit Chrf(const ChrfOptions& options = {});

  // A text and its references (UTF-8), of which the best one counts. UsageError without one.
  void add(std::string_view hypothesis, std::span<const std::string> references);
  void add(std::string_view hypothesis, const std::string& reference) {
    add(hypothesis, std::span(&reference, 1));
  }

  double score() const;  // 0 to 100

 private:
  struct Order {
    int64_t hypothesis = 0;
    int64_t reference = 0;
    int64_t common = 0;
  };

  std::vector<Order> compare(std::string_view hypothesis, std::string_view reference) const;
  double score_of(const std::vector<Order>& orders) const;

  ChrfOptions options_;
  std::vector<Order> sums_;
};

}  // namespace heed::metrics
