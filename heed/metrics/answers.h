// Answers to questions, measured as SQuAD does (Rajpurkar et al. 2016; its evaluation script 2.0).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace heed::metrics {

// In lower case, without ASCII punctuation, without the words a, an and the, one blank between
// words.
std::string normalized_answer(std::string_view answer);

struct AnswerScore {
  double exact = 0;  // whether the normalised answer is one of the references
  double f1 = 0;     // of the words, each as often as in both; the best over the references
};

// UsageError without a reference. An empty reference stands for "no answer".
AnswerScore answer_score(std::string_view answer, std::span<const std::string> references);

// The mean over questions.
class AnswerScores {
 public:
  void add(std::string_view answer, std::span<const std::string> references);
  AnswerScore mean() const;  // zeros where nothing was added
  int64_t count() const { return count_; }

 private:
  AnswerScore sum_;
  int64_t count_ = 0;
};

}  // namespace heed::metrics
