// What help, completion scripts, man pages and settings files say of an option.
#pragma once

#include <string>
#include <vector>

namespace heed::cli {

struct OptionInfo {
  std::vector<std::string> names;  // "--lr", "-h"; "files" of one without a name
  std::string description;
  std::string value;                 // "TEXT", "INT"; empty for a flag
  std::vector<std::string> choices;  // the only values that it takes; empty: others too
  std::string range;                 // "from 0 to 8", "at least 0"; empty: no limits
  std::string standard;              // what holds where it is not given; may be empty
  std::string group;                 // heading in the help
  bool positional = false;           // has no name
  bool required = false;
  bool list = false;     // takes several values
  bool flag = false;     // takes none
  bool setting = false;  // may stand in a settings file
  bool field = false;    // is of a list of fields (field_options.h)
  bool given = false;
  std::vector<std::string> values;  // that hold: those given, else the default; "true", "false"

  // "lr", "files".
  std::string setting_name() const;
};

// The description as sentences, with what may be given and what holds otherwise: "Update rule. One
// of adam, adamw, sgd. Default: adamw."
std::string full_description(const OptionInfo& option);

}  // namespace heed::cli
