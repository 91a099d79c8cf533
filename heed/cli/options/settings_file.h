// Settings of a command as TOML: what --config reads and --print-config writes.
#pragma once

#include <iosfwd>
#include <string>

#include "heed/cli/options/options.h"

namespace heed::cli {

// Sets the options that `in` names, but for those that are given already. Throws UsageError, which
// names the file, the line and the setting.
void read_settings(Options& options, std::istream& in, const std::string& file);

// Every setting with its value, described; read_settings() makes the same of it.
std::string settings_text(const Options& options);

}  // namespace heed::cli
