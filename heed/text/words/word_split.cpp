#include "heed/text/words/word_split.h"

#include <string>

#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/io/utf8.h"
#include "heed/text/characters/unicode.h"
#include "heed/text/regex/regex.h"

namespace heed::text {
namespace {

// What comes first wins.
Regex word_pattern() {
  // \p{L} and \p{N} would be spelt out (regex.h), and that ten times is too long.
  const std::string letters = R"(\p{Lu}\p{Ll}\p{Lt}\p{Lm}\p{Lo})";
  const std::string digits = R"(\p{Nd}\p{Nl}\p{No})";
  const std::string letter = "[" + letters + "]";
  const std::string digit = "[" + digits + "]";
  const std::string part = "[" + letters + digits + R"(\p{M}_])";  // of a word
  const std::string no_letter = "(?!" + letter + ")";
  const std::vector<std::string> alternatives = {
      R"((?:https?://|www\.)\S+)",         // addresses
      "[@#][" + letters + digits + "_]+",  // users, topics
      R"([:;=][-']?[)(DPpOo/|*](?![)" + letters + digits + "])",
      "<3",  // faces
      letter + "+(?=n['’]t" + no_letter + ")",
      "n['’]t" + no_letter,                                                 // do n't
      "['’](?:s|S|m|M|d|D|re|RE|ve|VE|ll|LL)" + no_letter,                  // it 's
      digit + "+(?:[.,:/]" + digit + "+)*(?:[" + letters + R"(\p{M}]+)?)",  // 1,000.50  5pm
      "(?:" + letter + R"(\.){2,})",                                        // U.S.
      "[" + letters + "_]" + part + "*(?:[-&][" + letters + digits + "]" + part + "*)*",  // e-mail
      R"(\.{2,}|!{2,}|\?{2,}|-{2,})",                                                     // ...
      R"(\S)",
  };
  return Regex(joined(alternatives, "|"));
}

void check(std::string_view text) {
  if (!is_utf8(text)) throw DataError(text_of("text ", excerpt(text), ": expected UTF-8"));
}

}  // namespace

std::vector<Span> split_words(std::string_view text) {
  check(text);
  std::vector<Span> spans;
  static const Regex words = word_pattern();
  words.find_all(text, spans);
  return spans;
}

}  // namespace heed::text
