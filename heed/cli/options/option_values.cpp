#include "heed/cli/options/option_values.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "heed/io/utf8.h"

namespace heed::cli {
namespace {

constexpr char kGuard = '\0';  // no word of a command line can hold it

bool needs_guard(const std::string& value) {
  return value.empty() || (value.front() == '[' && value.back() == ']');
}

// `text` as a decimal number of type Number, written the shortest way; else what is wrong.
template <typename Number>
std::string normalise(std::string& text, const char* expected) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  const bool finite = std::isfinite(static_cast<double>(number));
  if (error == std::errc::result_out_of_range && stopped == end) {
    return std::string("expected ") + expected + ", got " + excerpt(text) +
           ", which is too large or too small";
  }
  if (error != std::errc() || stopped != end || !finite) {
    return std::string("expected ") + expected + ", got " + excerpt(text);
  }
  std::array<char, 64> shortest{};
  const auto written = std::to_chars(shortest.data(), shortest.data() + shortest.size(), number);
  text.assign(shortest.data(), written.ptr);
  return {};
}

}  // namespace

std::string guarded(const std::string& value) {
  return needs_guard(value) ? kGuard + value : value;
}

std::vector<std::string> guarded_words(std::vector<std::string> words) {
  for (std::string& word : words) {
    const size_t equals = word.find('=');
    if (word.starts_with("--") && equals != std::string::npos) {
      word = word.substr(0, equals + 1) + guarded(word.substr(equals + 1));
    } else if (!word.empty()) {
      word = guarded(word);
    }
  }
  return words;
}

std::string apply_value_rules(std::string& text, const std::string& type, bool may_be_empty) {
  if (!text.empty() && text.front() == kGuard) text.erase(0, 1);
  if (text.empty() && may_be_empty) return {};
  if (type == "INT") return normalise<int64_t>(text, "a whole number");
  if (type == "UINT") return normalise<uint64_t>(text, "a whole number of at least 0");
  if (type == "FLOAT") return normalise<double>(text, "a number");
  if (type == "BOOLEAN" && text != "true" && text != "false") {
    return "expected true or false, got " + excerpt(text);
  }
  return {};
}

}  // namespace heed::cli
