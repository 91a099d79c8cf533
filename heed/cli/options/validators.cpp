#include "heed/cli/options/validators.h"

#include <string>

namespace heed::cli {

CLI::Validator at_least_0() {
  return {[](std::string& text) {
            return CLI::NonNegativeNumber(text).empty()
                       ? std::string()
                       : "expected a number of at least 0, got '" + text + "'";
          },
          CLI::NonNegativeNumber.get_description()};
}

CLI::Validator above_0() {
  return {[](std::string& text) {
            return CLI::PositiveNumber(text).empty()
                       ? std::string()
                       : "expected a number above 0, got '" + text + "'";
          },
          CLI::PositiveNumber.get_description()};
}

CLI::Validator share_or_nothing() {
  const CLI::Range share(0.0, 1.0);
  return {[share](std::string& text) { return text.empty() ? std::string() : share(text); },
          share.get_description()};
}

}  // namespace heed::cli
