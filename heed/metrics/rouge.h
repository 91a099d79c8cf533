// ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004), the same numbers as the package rouge_score without its
// stemmer: words are runs of the letters a to z and digits of the text in lower case.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heed::metrics {

struct RougeValue {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
};

struct RougeScores {
  RougeValue rouge1;      // single words
  RougeValue rouge2;      // pairs of words
  RougeValue rouge_l;     // longest common subsequence of the whole text
  RougeValue rouge_lsum;  // of each line, put together (section 3.2)
};

// Of one text against one reference (UTF-8); each 0 to 1.
RougeScores rouge(std::string_view hypothesis, std::string_view reference);

// Of one text against several references: for each measure the one with the best F1. UsageError
// without a reference.
RougeScores rouge(std::string_view hypothesis, std::span<const std::string> references);

// The mean over texts.
class Rouge {
 public:
  void add(std::string_view hypothesis, std::span<const std::string> references);
  RougeScores mean() const;  // zeros where nothing was added

 private:
  RougeScores sum_;
  int64_t count_ = 0;
};

}  // namespace heed::metrics
