// How the words of the command line become values: the same rules for every option of every
// command, whatever the parser below makes of its own.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace heed::cli {

// CLI11 reads a word in square brackets as a list and an empty one behind "=" as none; a guarded
// word is a text like any other. A value that came from elsewhere (a settings file) is guarded as
// a whole.
std::string guarded(const std::string& value);
std::vector<std::string> guarded_words(std::vector<std::string> words);

// Puts the rules below in front of the checks of each option of `app`, once all are defined:
// guarded words lose their guard; whole numbers are decimal, within 64 bits, and nothing else
// (no octal or hexadecimal, no wrapping, no saturation); real numbers are finite; what is true or
// false is written so.
void set_value_rules(CLI::App& app);

// Whether CLI11 takes several values for it.
bool takes_list(const CLI::Option& option);

// What holds where it is not given, as one would type it.
std::string default_of(const CLI::Option& option);

// The values that hold: those that were given, else the default. A flag has "true" or "false".
std::vector<std::string> values_of(const CLI::Option& option);

}  // namespace heed::cli
