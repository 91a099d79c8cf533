// Word and character error rates of what was recognised, as jiwer counts them.
#pragma once

#include <cstdint>
#include <string_view>

namespace heed::metrics {

// The fewest words (or characters) that must be put in, left out or replaced to make one text of
// the other, over those of the right text.                                     Levenshtein 1966
struct ErrorRate {
  int64_t edits = 0;
  int64_t length = 0;  // of the right texts

  // Above 1 where more is wrong than there is; without right texts 0 if nothing was recognised,
  // else infinite.
  double rate() const;
  void add(const ErrorRate& other) {
    edits += other.edits;
    length += other.length;
  }
};

// Words are what stands between blanks; characters are code points, blanks among them but for those
// at the two ends. Valid UTF-8.
ErrorRate word_errors(std::string_view right, std::string_view recognised);
ErrorRate character_errors(std::string_view right, std::string_view recognised);

}  // namespace heed::metrics
