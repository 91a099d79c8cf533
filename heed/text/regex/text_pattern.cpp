#include "heed/text/regex/text_pattern.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"

namespace heed::text {

TextPattern TextPattern::read(const JsonValue& json) {
  json.check_keys({"String", "Regex"});
  if (json.has("Regex")) {
    const JsonValue pattern = json.at("Regex");
    if (json.has("String")) json.fail("one of String and Regex");
    try {
      return TextPattern(Regex(pattern.string()));
    } catch (const UsageError& error) {
      throw DataError(text_of(json.file(), ": field '", pattern.path(), "': ", error.what()));
    }
  }
  const JsonValue text = json.at("String");
  if (text.string().empty()) text.fail("a string that is not empty");
  return TextPattern(text.string());
}

void TextPattern::find_all(std::string_view text, std::vector<Span>& matches) const {
  if (const Regex* regex = std::get_if<Regex>(&pattern_)) return regex->find_all(text, matches);
  const std::string& wanted = std::get<std::string>(pattern_);
  for (size_t at = text.find(wanted); at != std::string_view::npos;) {
    const size_t end = at + wanted.size();
    matches.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(end)});
    at = text.find(wanted, end);
  }
}

OrderedJson TextPattern::to_json() const {
  if (const Regex* regex = std::get_if<Regex>(&pattern_)) return {{"Regex", regex->pattern()}};
  return {{"String", std::get<std::string>(pattern_)}};
}

}  // namespace heed::text
