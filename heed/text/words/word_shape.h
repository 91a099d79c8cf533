// What a word looks like, whatever its letters: what a tagger learns from one example and uses for
// words that it has never seen.                            Collobert et al. 2011, section 4.1.2
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace heed::text {

// Numbers of three features, each in a range of its own: together they are rows of one table.
struct WordShape {
  static constexpr int32_t kFeatures = 3;
  static constexpr int32_t kCount = 27;  // rows

  // Capitals (lower, Title, UPPER, one capital, miXed, no letters with a case); kind (letters,
  // digits, @user, #topic, address, punctuation, letters or marks with digits, other); characters
  // (1 to 12, more).
  std::array<int32_t, kFeatures> features;
};

// Of one word, UTF-8 and not empty.
WordShape word_shape(std::string_view word);

}  // namespace heed::text
