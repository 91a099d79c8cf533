// What help, completion scripts and man pages need to know of a parser, read from CLI11 itself, so
// that they can never fall behind the program.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace heed::cli {

struct OptionInfo {
  std::vector<std::string> names;  // "--lr", "-h"
  std::string description;
  std::string value;                 // "TEXT", "INT"; empty for a flag
  std::vector<std::string> choices;  // the only values that it takes; empty: others too
  std::string range;                 // "from 0 to 8", "at least 0"; empty: no limits
  std::string standard;              // what holds where it is not given; may be empty
  std::string group;                 // heading in the help
  bool positional = false;
  bool required = false;
  bool list = false;  // takes several values
};

// In the order of the help; positionals first.
std::vector<OptionInfo> options_of(const CLI::App& app);

// The description as sentences, with what may be given and what holds otherwise: "Update rule. One
// of adam, adamw, sgd. Default: adamw."
std::string full_description(const OptionInfo& option);

}  // namespace heed::cli
