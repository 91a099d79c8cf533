// How the words of the command line become values: the same rules for every option of every
// command, whatever the parser below makes of its own.
#pragma once

#include <string>
#include <vector>

namespace heed::cli {

// CLI11 reads a word in square brackets as a list and an empty one behind "=" as none; a guarded
// word is a text like any other. A value that came from elsewhere (a settings file) is guarded as
// a whole.
std::string guarded(const std::string& value);
std::vector<std::string> guarded_words(std::vector<std::string> words);

// Takes the guard off a value of that type ("INT", "UINT", "FLOAT", "BOOLEAN", "TEXT"), and writes
// a number the shortest way: whole numbers are decimal, within 64 bits, and nothing else (no octal
// or hexadecimal, no wrapping, no saturation); real numbers are finite; what is true or false is
// written so. Returns what is wrong with it, "" where nothing is.
std::string apply_value_rules(std::string& text, const std::string& type, bool may_be_empty);

}  // namespace heed::cli
