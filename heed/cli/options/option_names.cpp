#include "heed/cli/options/option_names.h"

#include <algorithm>

namespace heed::cli {

std::vector<OptionInfo> options_of(const CLI::App& app) {
  std::vector<OptionInfo> all;
  for (const CLI::Option* option : app.get_options({})) {
    OptionInfo info{.description = option->get_description(),
                    .value = option->get_type_name(),
                    .standard = option->get_default_str(),
                    .group = option->get_group(),
                    .positional = option->get_positional(),
                    .required = option->get_required()};
    // CLI11 appends the check to the type: "TEXT:{post,pre}".
    info.value = info.value.substr(0, info.value.find_first_of(": "));
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

}  // namespace heed::cli
