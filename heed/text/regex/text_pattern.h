// What Split and Replace of tokenizer.json look for: a string or a regular expression.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "heed/io/json.h"
#include "heed/text/regex/regex.h"
#include "heed/text/span.h"

namespace heed::text {

class TextPattern {
 public:
  // {"String": " "} or {"Regex": "\\s+"}. DataError: neither, an empty string, a regular
  // expression that is refused.
  static TextPattern read(const JsonValue& json);

  // Appends the matches in `text` from left to right; those of a regular expression may be empty.
  void find_all(std::string_view text, std::vector<Span>& matches) const;

  OrderedJson to_json() const;

 private:
  explicit TextPattern(std::variant<std::string, Regex> pattern) : pattern_(std::move(pattern)) {}

  std::variant<std::string, Regex> pattern_;
};

}  // namespace heed::text
