#include "heed/cli/options/field_options.h"

#include <algorithm>
#include <charconv>

#include "heed/base/error.h"

namespace heed::cli {
namespace {

constexpr double kUnlimited = nn::kLargestSize;  // a larger number is a limit that nobody meets

// For the help; what nobody meets is left out.
std::string short_range(const nn::Field& field) {
  if (field.most < kUnlimited) return range_text(field);
  return (field.above ? "above " : "of at least ") + nn::number_text(field.least);
}

std::string text_of_or(const std::map<std::string, std::string>& texts, const nn::Field& field,
                       const char* otherwise) {
  const auto found = texts.find(field.name);
  return found == texts.end() ? otherwise : found->second;
}

}  // namespace

std::string option_name(const std::string& field) {
  std::string name = "--" + field;
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

bool is_given(const Options& command, const nn::Field& field) {
  return command.is_given(option_name(field.name).substr(2));
}

std::string FieldOptions::zero_of(const nn::Field& field) const {
  return text_of_or(texts_.zero, field, field.zero);
}

std::vector<std::string> FieldOptions::choices_of(const nn::Field& field) const {
  const auto found = texts_.choices.find(field.name);
  if (found != texts_.choices.end()) return found->second;
  return field.choices == nullptr ? std::vector<std::string>() : field.choices();
}

std::string FieldOptions::help_of(const nn::Field& field) const {
  const std::string help = text_of_or(texts_.help, field, field.help);
  const std::string zero = zero_of(field);
  if (help.empty()) return help;
  if (!zero.empty()) return help + "; 0: " + zero;
  return *field.automatic == '\0' ? help : help + "; auto: " + field.automatic;
}

void FieldOptions::check_numbers(Option& option, const nn::Field& field, MayBe may_be) const {
  nn::Field allowed = field;
  if (!zero_of(field).empty()) allowed.least = 0;
  option.check(
      [allowed, may_be](const std::string& text) {
        if (text.empty() && may_be == MayBe::kEmpty) return std::string();
        double value = 0;
        const char* end = text.data() + text.size();
        const auto [stopped, error] = std::from_chars(text.data(), end, value);
        const bool fits = error == std::errc() && stopped == end && is_in_range(allowed, value);
        if (fits) return std::string();
        const std::string range = value > allowed.most ? range_text(allowed) : short_range(allowed);
        return "expected a number " + range + ", got '" + text + "'";
      },
      short_range(allowed));
}

void FieldOptions::add_check(Option& option, const nn::Field& field,
                             const std::string& /*value*/) const {
  std::vector<std::string> names = choices_of(field);
  if (!names.empty()) {
    if (*field.automatic != '\0') names.insert(names.begin(), "auto");
    option.one_of(names);
  }
  if (field.check == nullptr) return;
  option.check([check = field.check](const std::string& text) -> std::string {
    try {
      check(text);
    } catch (const UsageError& error) {
      return error.what();
    }
    return {};
  });
}

}  // namespace heed::cli
