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

// CLI11's name of a type with the descriptions of its checks behind it: "INT:INT in [0 - 8]".
std::string type_of(const CLI::Option& option) {
  const std::string name = option.get_type_name();
  return name.substr(0, name.find(':'));
}

// `text` as a decimal number of type Number, written the shortest way; else what is wrong.
template <typename Number>
std::string normalise(std::string& text, const char* expected) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  const bool finite = std::isfinite(static_cast<double>(number));
  if (error == std::errc::result_out_of_range && stopped == end) {
    return std::string("expected ") + expected + ", got " + excerpt(text) + ", which is too large";
  }
  if (error != std::errc() || stopped != end || !finite) {
    return std::string("expected ") + expected + ", got " + excerpt(text);
  }
  std::array<char, 64> shortest{};
  const auto written = std::to_chars(shortest.data(), shortest.data() + shortest.size(), number);
  text.assign(shortest.data(), written.ptr);
  return {};
}

std::string apply_rules(std::string& text, const std::string& type, bool may_be_empty) {
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

void set_value_rules(CLI::App& app) {
  for (CLI::Option* option : app.get_options({})) {
    if (option->get_items_expected_max() == 0) continue;  // a flag
    // An optional number without a default may be written as nothing, which is what holds then.
    const bool may_be_empty = option->get_default_str().empty();
    option->transform(CLI::Validator(
        [type = type_of(*option), may_be_empty](std::string& text) {
          return apply_rules(text, type, may_be_empty);
        },
        ""));
  }
}

bool takes_list(const CLI::Option& option) { return option.get_items_expected_max() > 1; }

std::vector<std::string> values_of(const CLI::Option& option) {
  if (option.count() > 0) return option.reduced_results();
  if (takes_list(option)) return {};
  if (option.get_items_expected_max() == 0) return {"false"};
  return {default_of(option)};
}

std::string default_of(const CLI::Option& option) {
  const std::string text = option.get_default_str();
  if (type_of(option) != "BOOLEAN") return text;
  return text == "1" || text == "true" ? "true" : "false";
}

}  // namespace heed::cli
