#include "heed/metrics/rouge.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/metrics/words.h"
#include "heed/text/characters/lower_case.h"

namespace heed::metrics {
namespace {

using Words = std::vector<std::string>;

Words rouge_words(std::string_view text) {
  Words words;
  std::string word;
  for (const char c : text::lower_case(text) + " ") {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  return words;
}

RougeValue value_of(size_t hits, size_t predicted, size_t actual) {
  RougeValue value;
  const auto count = static_cast<double>(hits);
  if (predicted > 0) value.precision = count / static_cast<double>(predicted);
  if (actual > 0) value.recall = count / static_cast<double>(actual);
  const double sum = value.precision + value.recall;
  if (sum > 0) value.f1 = 2 * value.precision * value.recall / sum;
  return value;
}

RougeValue ngrams(const Words& hypothesis, const Words& reference, size_t order) {
  const auto count_of = [order](const Words& words) {
    return words.size() < order ? 0 : words.size() - order + 1;
  };
  const std::string ours = joined(hypothesis, " ");
  const std::string theirs = joined(reference, " ");
  const int64_t hits = common(count_ngrams(ours, word_bounds(ours), order, 1),
                              count_ngrams(theirs, word_bounds(theirs), order, 1));
  return value_of(static_cast<size_t>(hits), count_of(hypothesis), count_of(reference));
}

// lengths[i][j]: of the longest common subsequence of the first i and the first j words.
std::vector<std::vector<int32_t>> subsequences(const Words& reference, const Words& hypothesis) {
  std::vector<std::vector<int32_t>> lengths(reference.size() + 1,
                                            std::vector<int32_t>(hypothesis.size() + 1, 0));
  for (size_t i = 1; i <= reference.size(); ++i) {
    for (size_t j = 1; j <= hypothesis.size(); ++j) {
      lengths[i][j] = reference[i - 1] == hypothesis[j - 1]
                          ? lengths[i - 1][j - 1] + 1
                          : std::max(lengths[i - 1][j], lengths[i][j - 1]);
    }
  }
  return lengths;
}

// The words of the reference that one longest common subsequence holds.
void add_subsequence(const Words& reference, const Words& hypothesis, std::set<size_t>& places) {
  const auto lengths = subsequences(reference, hypothesis);
  size_t i = reference.size();
  size_t j = hypothesis.size();
  while (i > 0 && j > 0) {
    if (reference[i - 1] == hypothesis[j - 1]) {
      places.insert(--i);
      --j;
    } else if (lengths[i][j - 1] > lengths[i - 1][j]) {
      --j;
    } else {
      --i;
    }
  }
}

std::vector<Words> lines_of(std::string_view text) {
  std::vector<Words> lines;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) lines.push_back(rouge_words(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return lines;
}

// The union of the subsequences of each line of the reference with every line of the text; a word
// counts at most as often as it stands in either.
RougeValue summary(std::string_view hypothesis, std::string_view reference) {
  const std::vector<Words> ours = lines_of(hypothesis);
  const std::vector<Words> theirs = lines_of(reference);
  std::map<std::string, int64_t> left_ours;
  std::map<std::string, int64_t> left_theirs;
  size_t predicted = 0;
  size_t actual = 0;
  for (const Words& line : ours) {
    predicted += line.size();
    for (const std::string& word : line) ++left_ours[word];
  }
  for (const Words& line : theirs) {
    actual += line.size();
    for (const std::string& word : line) ++left_theirs[word];
  }
  size_t hits = 0;
  for (const Words& line : theirs) {
    std::set<size_t> places;
    for (const Words& other : ours) add_subsequence(line, other, places);
    for (const size_t place : places) {
      const std::string& word = line[place];
      if (left_ours[word] > 0 && left_theirs[word] > 0) {
        ++hits;
        --left_ours[word];
        --left_theirs[word];
      }
    }
  }
  return value_of(hits, predicted, actual);
}

constexpr std::array kParts = {&RougeScores::rouge1, &RougeScores::rouge2, &RougeScores::rouge_l,
                               &RougeScores::rouge_lsum};

}  // namespace

RougeScores rouge(std::string_view hypothesis, std::string_view reference) {
  const Words ours = rouge_words(hypothesis);
  const Words theirs = rouge_words(reference);
  RougeScores scores;
  scores.rouge1 = ngrams(ours, theirs, 1);
  scores.rouge2 = ngrams(ours, theirs, 2);
  const auto longest = static_cast<size_t>(subsequences(theirs, ours).back().back());
  scores.rouge_l = value_of(longest, ours.size(), theirs.size());
  scores.rouge_lsum = summary(hypothesis, reference);
  return scores;
}

RougeScores rouge(std::string_view hypothesis, std::span<const std::string> references) {
  check_usage(!references.empty(), "ROUGE: expected at least one reference, got none");
  RougeScores best;
  bool first = true;
  for (const std::string& reference : references) {
    const RougeScores scores = rouge(hypothesis, std::string_view(reference));
    for (const auto part : kParts) {
      if (first || (scores.*part).f1 > (best.*part).f1) best.*part = scores.*part;
    }
    first = false;
  }
  return best;
}

void Rouge::add(std::string_view hypothesis, std::span<const std::string> references) {
  const RougeScores scores = rouge(hypothesis, references);
  for (const auto part : kParts) {
    (sum_.*part).precision += (scores.*part).precision;
    (sum_.*part).recall += (scores.*part).recall;
    (sum_.*part).f1 += (scores.*part).f1;
  }
  ++count_;
}

RougeScores Rouge::mean() const {
  RougeScores mean = sum_;
  if (count_ == 0) return mean;
  for (const auto part : kParts) {
    (mean.*part).precision /= static_cast<double>(count_);
    (mean.*part).recall /= static_cast<double>(count_);
    (mean.*part).f1 /= static_cast<double>(count_);
  }
  return mean;
}

}  // namespace heed::metrics
