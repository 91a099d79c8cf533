// What completion scripts and man pages need to know of a parser, read from CLI11 itself, so that
// they can never fall behind the program.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace heed::cli {

struct OptionInfo {
  std::vector<std::string> names;  // "--lr", "-h"
  std::string description;
  std::string value;     // "TEXT", "INT"; empty for a flag
  std::string standard;  // what holds where it is not given; may be empty
  std::string group;     // heading in the help
  bool positional = false;
  bool required = false;
};

// In the order of the help; positionals first.
std::vector<OptionInfo> options_of(const CLI::App& app);

}  // namespace heed::cli
