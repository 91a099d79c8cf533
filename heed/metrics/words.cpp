#include "heed/metrics/words.h"

#include <algorithm>

#include "heed/text/characters/unicode.h"

namespace heed::metrics {

bool is_python_space(char32_t c) { return (c >= 0x1C && c <= 0x1F) || text::is_white_space(c); }

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> words;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t here = at;
    if (!is_python_space(next_code_point(text, at))) continue;
    if (here > begin) words.push_back(text.substr(begin, here - begin));
    begin = at;
  }
  if (text.size() > begin) words.push_back(text.substr(begin));
  return words;
}

NgramCounts count_ngrams(std::string_view text, const std::vector<size_t>& bounds, size_t order,
                         size_t gap) {
  NgramCounts counts;
  for (size_t i = 0; i + order < bounds.size(); ++i) {
    ++counts[text.substr(bounds[i], bounds[i + order] - bounds[i] - gap)];
  }
  return counts;
}

std::vector<size_t> word_bounds(std::string_view words) {
  std::vector<size_t> bounds;
  if (words.empty()) return bounds;
  bounds.push_back(0);
  for (size_t at = words.find(' '); at != std::string_view::npos; at = words.find(' ', at + 1)) {
    bounds.push_back(at + 1);
  }
  bounds.push_back(words.size() + 1);
  return bounds;
}

std::vector<size_t> character_bounds(std::string_view text) {
  std::vector<size_t> bounds;
  for (size_t at = 0; at < text.size(); next_code_point(text, at)) bounds.push_back(at);
  bounds.push_back(text.size());
  return bounds;
}

int64_t common(const NgramCounts& some, const NgramCounts& others) {
  int64_t sum = 0;
  for (const auto& [ngram, count] : some) {
    const auto found = others.find(ngram);
    if (found != others.end()) sum += std::min(count, found->second);
  }
  return sum;
}

}  // namespace heed::metrics
