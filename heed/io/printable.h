// Text of others (names of files, labels, fields of configurations) on its way to a terminal.
// Stands in utf8.cpp, beside excerpt(), whose escapes it shares.
#pragma once

#include <string>
#include <string_view>

namespace heed {

// `text` on one line, with nothing in it that a terminal would obey: control characters, characters
// that turn the direction of writing, and bytes that are not UTF-8 become escapes of
// their bytes (\n, \x1b). Unlike excerpt(), no quotes around it, and nothing is cut.
std::string printable(std::string_view text);

// The same for a text of several lines: line breaks and tabs stay.
std::string printable_lines(std::string_view text);

}  // namespace heed
