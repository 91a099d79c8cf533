// UTF-8: checked, read and written character by character, and untrusted bytes as they stand in an
// error message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace heed {

// How many bytes at the start of `text` are well-formed UTF-8 (Unicode 15, table 3-7: no overlong
// forms, no surrogates, nothing above U+10FFFF). Equal to text.size() if all of it is; otherwise
// the offset of the first bad sequence.
size_t valid_utf8_prefix(std::string_view text);

inline bool is_utf8(std::string_view text) { return valid_utf8_prefix(text) == text.size(); }

// Whether a byte of valid UTF-8 begins a character, and does not go on with one.
constexpr bool begins_character(char byte) { return (static_cast<uint8_t>(byte) & 0xC0) != 0x80; }

// The code point that starts at text[at], which must be valid UTF-8; moves `at` behind it.
inline char32_t next_code_point(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<uint8_t>(text[i])); };
  const char32_t first = byte(at);
  if (first < 0x80) {
    at += 1;
    return first;
  }
  if (first < 0xE0) {
    at += 2;
    return (first & 0x1F) << 6 | (byte(at - 1) & 0x3F);
  }
  if (first < 0xF0) {
    at += 3;
    return (first & 0x0F) << 12 | (byte(at - 2) & 0x3F) << 6 | (byte(at - 1) & 0x3F);
  }
  at += 4;
  return (first & 0x07) << 18 | (byte(at - 3) & 0x3F) << 12 | (byte(at - 2) & 0x3F) << 6 |
         (byte(at - 1) & 0x3F);
}

// How many code points valid UTF-8 has.
int64_t code_points(std::string_view text);

// Without the ASCII white space at its ends.
std::string_view trimmed(std::string_view text);

// Appends a code point as UTF-8.
void append_utf8(char32_t c, std::string& text);

// `text` between double quotes on one printable line, for error messages: control characters,
// quotes, backslashes and bytes that are not UTF-8 are escaped (\n, \x1b), and after
// `max_bytes` bytes it ends in "...". The whole message therefore stays one short line whatever
// the file holds.
std::string excerpt(std::string_view text, size_t max_bytes = 60);

}  // namespace heed
