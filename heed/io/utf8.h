// UTF-8 checks, and a way to show untrusted bytes in an error message.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace heed {

// How many bytes at the start of `text` are well-formed UTF-8 (Unicode 15, table 3-7: no overlong
// forms, no surrogates, nothing above U+10FFFF). Equal to text.size() if all of it is; otherwise
// the offset of the first bad sequence.
size_t valid_utf8_prefix(std::string_view text);

inline bool is_utf8(std::string_view text) { return valid_utf8_prefix(text) == text.size(); }

// `text` between double quotes on one printable line, for error messages: control characters,
// quotes, backslashes and bytes that are not UTF-8 are escaped (\n, \x1b), and after
// `max_bytes` bytes it ends in "...". The whole message therefore stays one short line whatever
// the file holds.
std::string excerpt(std::string_view text, size_t max_bytes = 60);

}  // namespace heed
