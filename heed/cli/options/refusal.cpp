#include "heed/cli/options/refusal.h"

#include "heed/cli/options/suggestion.h"

namespace heed::cli {

std::string as_typed(const Options& options, const std::string& message) {
  const size_t colon = message.find(':');
  if (colon == std::string::npos) return message;
  const std::string field = message.substr(0, colon);
  std::string option;
  std::string said = message;
  if (field.starts_with("--")) {  // perhaps with its value: "--out folder"
    option = field.substr(2, field.find(' ') - 2);
    if (!options.has(option)) return message;
  } else if (field.find_first_of(" ./") == std::string::npos) {
    option = option_called(options, field);
    if (option.empty()) return message;
    said = "--" + option + message.substr(colon);
  }
  const std::string place = option.empty() ? "" : options.place_of(option);
  return place.empty() ? said : place + ": " + said;
}

}  // namespace heed::cli
