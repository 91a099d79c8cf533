#include "heed/metrics/answers.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/metrics/words.h"
#include "heed/text/characters/lower_case.h"
#include "heed/text/characters/unicode.h"

namespace heed::metrics {
namespace {

bool is_ascii_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
         (c >= '{' && c <= '~');
}

// \w of Python's regular expressions: letters and numbers (the underscore is gone by now).
bool is_word(char32_t c) {
  return (U_GET_GC_MASK(static_cast<UChar32>(c)) & (U_GC_L_MASK | U_GC_N_MASK)) != 0;
}

// Without runs of word characters that are an article.
std::string without_articles(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    size_t end = at;
    while (end < text.size() && is_word(next_code_point(text, at))) end = at;
    if (end == begin) {  // one character between words
      at = begin;
      next_code_point(text, at);
      result += text.substr(begin, at - begin);
      continue;
    }
    at = end;
    const std::string_view word = text.substr(begin, end - begin);
    if (word == "a" || word == "an" || word == "the") {
      result += ' ';
    } else {
      result += word;
    }
  }
  return result;
}

double word_f1(std::string_view ours, std::string_view theirs) {
  const auto our_words = split_words(ours);
  const auto their_words = split_words(theirs);
  if (our_words.empty() || their_words.empty()) return our_words.empty() && their_words.empty();
  const int64_t both = common(count_ngrams(ours, word_bounds(ours), 1, 1),
                              count_ngrams(theirs, word_bounds(theirs), 1, 1));
  return 2 * static_cast<double>(both) / static_cast<double>(our_words.size() + their_words.size());
}

}  // namespace

std::string normalized_answer(std::string_view answer) {
  std::string text = text::lower_case(answer);
  std::erase_if(text, is_ascii_punctuation);
  text = without_articles(text);
  return joined(split_words(text), " ");
}

AnswerScore answer_score(std::string_view answer, std::span<const std::string> references) {
  check_usage(!references.empty(), "an answer: expected at least one reference, got none");
  const std::string ours = normalized_answer(answer);
  AnswerScore best;
  for (const std::string& reference : references) {
    const std::string theirs = normalized_answer(reference);
    best.exact = std::max(best.exact, ours == theirs ? 1. : 0.);
    best.f1 = std::max(best.f1, word_f1(ours, theirs));
  }
  return best;
}

void AnswerScores::add(std::string_view answer, std::span<const std::string> references) {
  const AnswerScore score = answer_score(answer, references);
  sum_.exact += score.exact;
  sum_.f1 += score.f1;
  ++count_;
}

AnswerScore AnswerScores::mean() const {
  if (count_ == 0) return {};
  const auto count = static_cast<double>(count_);
  return {.exact = sum_.exact / count, .f1 = sum_.f1 / count};
}

}  // namespace heed::metrics
