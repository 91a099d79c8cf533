// What a command refuses once its options are read, in the words of who gave them.
#pragma once

#include <string>

#include "heed/cli/options/options.h"

namespace heed::cli {

// The library names a field ("batch_size: expected ..."), the command line an option, as in
// "--batch-size: expected ...". Where a settings file gave the option, its place stands before
// that: "settings.toml:3: --batch-size: ...". A message about something else stays as it is.
std::string as_typed(const Options& options, const std::string& message);

}  // namespace heed::cli
