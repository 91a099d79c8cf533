#include "heed/text/words/word_shape.h"

#include <unicode/uchar.h>

#include <algorithm>

#include "heed/text/characters/unicode.h"

namespace heed::text {
namespace {

enum Capitals : int32_t { kLower, kTitle, kUpper, kOneCapital, kMixed, kNoCase };
enum WordKind : int32_t {
  kLetters,
  kDigits,
  kUser,
  kTopic,
  kAddress,
  kPunctuation,
  kWithDigits,
  kOther
};
constexpr int32_t kCapitals = 6;  // of the first feature
constexpr int32_t kKinds = 8;     // of the second
constexpr int32_t kLongest = 13;  // of the third
static_assert(kCapitals + kKinds + kLongest == WordShape::kCount);

struct Counts {
  int32_t characters = 0;
  int32_t letters = 0;
  int32_t digits = 0;
  int32_t upper = 0;
  int32_t lower = 0;
  bool begins_upper = false;
};

Counts count(std::string_view word) {
  Counts counts;
  for (size_t at = 0; at < word.size();) {
    const char32_t c = next_code_point(word, at);
    const auto code = static_cast<UChar32>(c);
    if (u_isupper(code) != 0) {
      if (counts.characters == 0) counts.begins_upper = true;
      ++counts.upper;
    }
    counts.lower += u_islower(code) != 0 ? 1 : 0;
    counts.letters += is_letter(c) ? 1 : 0;
    counts.digits += is_number(c) ? 1 : 0;
    ++counts.characters;
  }
  return counts;
}

Capitals capitals_of(const Counts& counts) {
  if (counts.upper == 0) return counts.lower > 0 ? kLower : kNoCase;
  if (counts.lower == 0) return counts.upper == 1 ? kOneCapital : kUpper;
  return counts.begins_upper && counts.upper == 1 ? kTitle : kMixed;
}

WordKind kind_of(std::string_view word, const Counts& counts) {
  if (counts.letters == counts.characters) return kLetters;
  if (counts.digits == counts.characters) return kDigits;
  if (counts.characters > 1 && word[0] == '@') return kUser;
  if (counts.characters > 1 && word[0] == '#') return kTopic;
  if (word.starts_with("http") || word.starts_with("www.")) return kAddress;
  if (counts.letters + counts.digits == 0) return kPunctuation;
  return counts.digits > 0 ? kWithDigits : kOther;
}

}  // namespace

WordShape word_shape(std::string_view word) {
  const Counts counts = count(word);
  return {{capitals_of(counts), kCapitals + static_cast<int32_t>(kind_of(word, counts)),
           kCapitals + kKinds + std::clamp(counts.characters, 1, kLongest) - 1}};
}

}  // namespace heed::text
