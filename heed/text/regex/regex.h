// Regular expressions of tokenizer.json: the dialect of Oniguruma that the `tokenizers` package
// uses, by way of PCRE2.
//
// \s, \w, \h, \p{L} and \p{N} mean what they mean there (Unicode 16). What the two dialects read
// differently is refused by name: a class inside a class, && between classes, {n,m}+, and a pattern
// that matches the empty text. \b looks at letters, digits and the underscore, not at marks; other
// properties than L and N know the characters of Unicode 14.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heed/text/span.h"

namespace heed::text {

class Regex {
 public:
  // UsageError: no such regular expression, or one that is refused; the message says where.
  explicit Regex(std::string pattern);

  const std::string& pattern() const { return pattern_; }

  // Appends the matches in `text` (UTF-8) from left to right, none of them empty. Any number of
  // threads may call it. DataError: a text for which the search takes too many steps.
  void find_all(std::string_view text, std::vector<Span>& matches) const;

 private:
  struct Code;

  std::string pattern_;
  std::shared_ptr<const Code> code_;
};

}  // namespace heed::text
