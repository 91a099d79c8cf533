#include "heed/metrics/error_rates.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "heed/io/utf8.h"
#include "heed/metrics/words.h"

namespace heed::metrics {
namespace {

// One row of the table at a time: distances of the beginning of `right` to all beginnings of
// `other`.
template <typename Unit>
ErrorRate errors(const std::vector<Unit>& right, const std::vector<Unit>& other) {
  std::vector<int64_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), int64_t{0});
  for (size_t i = 0; i < right.size(); ++i) {
    int64_t diagonal = row[0]++;
    for (size_t j = 0; j < other.size(); ++j) {
      const int64_t replaced = diagonal + (right[i] == other[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return {.edits = row.back(), .length = std::ssize(right)};
}

std::vector<char32_t> characters(std::string_view text) {
  const std::vector<std::string_view> words = split_words(text);
  std::vector<char32_t> all;
  if (words.empty()) return all;
  const auto begin = static_cast<size_t>(words.front().data() - text.data());
  const size_t end = static_cast<size_t>(words.back().data() - text.data()) + words.back().size();
  for (size_t at = begin; at < end;) all.push_back(next_code_point(text, at));
  return all;
}

}  // namespace

double ErrorRate::rate() const {
  if (length == 0) return edits == 0 ? 0 : std::numeric_limits<double>::infinity();
  return static_cast<double>(edits) / static_cast<double>(length);
}

ErrorRate word_errors(std::string_view right, std::string_view recognised) {
  return errors(split_words(right), split_words(recognised));
}

ErrorRate character_errors(std::string_view right, std::string_view recognised) {
  return errors(characters(right), characters(recognised));
}

}  // namespace heed::metrics
