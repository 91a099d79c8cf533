#include "heed/cli/options/option_info.h"
#include "heed/base/joined.h"

#include <cctype>

namespace heed::cli {

std::string OptionInfo::setting_name() const {
  const std::string& name = names.back();
  return positional ? name : name.substr(name.find_first_not_of('-'));
}

std::string full_description(const OptionInfo& option) {
  std::string text = option.description + ".";
  if (!option.choices.empty()) text += " One of " + joined(option.choices) + ".";
  if (!option.range.empty()) {
    text += " " + option.range + ".";
    char& first = text[text.size() - option.range.size() - 1];
    first = static_cast<char>(std::toupper(first));
  }
  if (!option.standard.empty()) text += " Default: " + option.standard + ".";
  if (option.required) text += " Required.";
  return text;
}

}  // namespace heed::cli
