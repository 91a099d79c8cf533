#include "heed/cli/options/option_names.h"

#include <algorithm>
#include <cctype>

#include "heed/cli/options/option_values.h"

namespace heed::cli {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (;;) {
    const size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) return parts;
    begin = end + 1;
  }
}

// CLI11 appends what its checks say of themselves to the type: "TEXT:{post,pre}",
// "INT:INT in [0 - 8]", "FLOAT:of at least 0".
void read_checks(const CLI::Option& option, OptionInfo& info) {
  const std::string text = option.get_type_name();
  const size_t colon = text.find(':');
  info.value = text.substr(0, colon);
  if (info.value == "BOOLEAN") info.choices = {"true", "false"};
  if (colon == std::string::npos) return;
  const std::string check = text.substr(colon + 1);
  const size_t range = check.find(" in [");
  if (check.starts_with('{') && check.ends_with('}')) {
    info.choices = split(check.substr(1, check.size() - 2), ',');
  } else if (range != std::string::npos && check.ends_with(']')) {
    info.range = "from " + check.substr(range + 5, check.size() - range - 6);
    const size_t dash = info.range.find(" - ");
    if (dash != std::string::npos) info.range.replace(dash, 3, " to ");
  } else {
    info.range = check.starts_with("of ") ? check.substr(3) : check;
  }
}

}  // namespace

std::vector<OptionInfo> options_of(const CLI::App& app) {
  std::vector<OptionInfo> all;
  for (const CLI::Option* option : app.get_options({})) {
    OptionInfo info;
    info.description = option->get_description();
    info.group = option->get_group();
    info.positional = option->get_positional();
    info.required = option->get_required();
    info.list = takes_list(*option);
    if (!info.list && option->get_items_expected_max() > 0) info.standard = default_of(*option);
    read_checks(*option, info);
    if (info.positional) {
      info.names = {option->get_single_name()};
    } else {
      for (const std::string& name : option->get_snames()) info.names.push_back("-" + name);
      for (const std::string& name : option->get_lnames()) info.names.push_back("--" + name);
    }
    all.push_back(std::move(info));
  }
  std::stable_partition(all.begin(), all.end(),
                        [](const OptionInfo& info) { return info.positional; });
  return all;
}

std::string full_description(const OptionInfo& option) {
  std::string text = option.description + ".";
  if (!option.choices.empty()) {
    std::string choices;
    for (const std::string& choice : option.choices)
      choices += (choices.empty() ? "" : ", ") + choice;
    text += " One of " + choices + ".";
  }
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
