// What the measures of texts share: words as Python's str.split finds them, and counts of n-grams.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace heed::metrics {

// White space to Python's str.split: that of Unicode, and the separators U+001C to U+001F.
bool is_python_space(char32_t c);

// The words between white space; views into `text` (UTF-8).
std::vector<std::string_view> split_words(std::string_view text);

using NgramCounts = std::unordered_map<std::string_view, int64_t>;

// The n-grams of one order of what lies between `bounds`: part i is text[bounds[i], bounds[i + 1]),
// less the last `gap` bytes of the n-gram (a blank between words is no part of it).
NgramCounts count_ngrams(std::string_view text, const std::vector<size_t>& bounds, size_t order,
                         size_t gap);

// Where words begin that have one blank between them, so that every n-gram is a part of the text,
// and one place more behind its last blank.
std::vector<size_t> word_bounds(std::string_view words);

// Where the characters of a text begin, and its end.
std::vector<size_t> character_bounds(std::string_view text);

// How many of `some` are in `others` too, each n-gram as often as it is in both.
int64_t common(const NgramCounts& some, const NgramCounts& others);

}  // namespace heed::metrics
