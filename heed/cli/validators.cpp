#include "heed/cli/validators.h"

#include <string>

namespace heed::cli {

CLI::Validator share_or_nothing() {
  const CLI::Range share(0.0, 1.0);
  return {[share](std::string& text) { return text.empty() ? std::string() : share(text); },
          share.get_description()};
}

}  // namespace heed::cli
