// Regular expressions of tokenizer.json, matched by Oniguruma, as in the `tokenizers` package: the
// same dialect, the same matches. Which characters a property such as \p{Lu} holds is a matter of
// the version of Oniguruma (6.9.8 of Debian 12: Unicode 14); docs/tokenizers.md says what differs.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heed/text/span.h"

namespace heed::text {

class Regex {
 public:
  // UsageError: no such regular expression; the message says why.
  explicit Regex(std::string pattern);

  const std::string& pattern() const { return pattern_; }

  // Appends the matches in `text` (UTF-8) from left to right. They are whole characters and do not
  // overlap; a match may be empty, but does not touch the end of the one before it then. Any number
  // of threads may call it. DataError: a text for which the search takes too many steps or too much
  // memory.
  void find_all(std::string_view text, std::vector<Span>& matches) const;

 private:
  struct Code;

  std::string pattern_;
  std::shared_ptr<const Code> code_;
};

}  // namespace heed::text
