#include "heed/text/characters/lower_case.h"

#include <unicode/locid.h>
#include <unicode/unistr.h>

#include "heed/text/characters/unicode.h"

namespace heed::text {

std::string lower_case(std::string_view text) {
  std::string lower;
  if (is_ascii(text)) {
    lower = text;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 0x20) : c;
    return lower;
  }
  icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())})
      .toLower(icu::Locale::getRoot())
      .toUTF8String(lower);
  return lower;
}

}  // namespace heed::text
