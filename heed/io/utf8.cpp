#include "heed/io/utf8.h"

#include <algorithm>
#include <cstdint>

#include "heed/io/printable.h"

namespace heed {
namespace {

// The length of the well-formed sequence at `text[at]`, 0 if there is none.
size_t sequence_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[at + i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t left = text.size() - at;
  const auto continues = [&](size_t i, uint8_t low, uint8_t high) {
    return i < left && byte(i) >= low && byte(i) <= high;
  };
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const uint8_t low = lead == 0xE0 ? 0xA0 : 0x80;   // no overlong form
    const uint8_t high = lead == 0xED ? 0x9F : 0xBF;  // no surrogate
    return continues(1, low, high) && continues(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const uint8_t low = lead == 0xF0 ? 0x90 : 0x80;   // no overlong form
    const uint8_t high = lead == 0xF4 ? 0x8F : 0xBF;  // nothing above U+10FFFF
    return continues(1, low, high) && continues(2, 0x80, 0xBF) && continues(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

std::string escaped_byte(uint8_t byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  return {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

// Characters that end or reorder a line on a terminal: C1 controls, the line and paragraph
// separators, and the marks that change the direction of writing.
bool spoils_a_line(std::string_view sequence) {
  if (sequence.size() == 2)
    return sequence[0] == '\xC2' && static_cast<uint8_t>(sequence[1]) < 0xA0;
  if (sequence.size() != 3 || sequence[0] != '\xE2') return false;
  const auto second = static_cast<uint8_t>(sequence[1]);
  const auto third = static_cast<uint8_t>(sequence[2]);
  return (second == 0x80 && third >= 0xA8 && third <= 0xAE) ||
         (second == 0x80 && (third == 0x8E || third == 0x8F)) ||
         (second == 0x81 && third >= 0xA6 && third <= 0xA9);
}

// The character at `text[at]`, or a byte that is no part of one.
std::string_view character_at(std::string_view text, size_t at) {
  return text.substr(at, std::max<size_t>(sequence_length(text, at), 1));
}

// What stands for a character that must not reach a terminal; nothing for the others.
std::string escape_of(std::string_view character) {
  const char first = character[0];
  const auto byte = static_cast<uint8_t>(first);
  if (first == '\n') return "\\n";
  if (first == '\r') return "\\r";
  if (first == '\t') return "\\t";
  const bool alone = character.size() == 1;
  if (!(alone && (byte < 0x20 || byte >= 0x7F)) && !spoils_a_line(character)) return {};
  std::string escape;
  for (const char c : character) escape += escaped_byte(static_cast<uint8_t>(c));
  return escape;
}

std::string escaped(std::string_view text, std::string_view kept) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const std::string_view character = character_at(text, at);
    const std::string escape =
        kept.find(character) == std::string_view::npos ? escape_of(character) : std::string();
    out += escape.empty() ? character : std::string_view(escape);
    at += character.size();
  }
  return out;
}

}  // namespace

size_t valid_utf8_prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t length = sequence_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return at;
}

int64_t code_points(std::string_view text) {
  return std::count_if(text.begin(), text.end(), begins_character);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n\r\v\f";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

void append_utf8(char32_t c, std::string& text) {
  const auto put = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

std::string excerpt(std::string_view text, size_t max_bytes) {
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    const std::string_view character = character_at(text, at);
    if (at + character.size() > max_bytes) return out + "...\"";
    const std::string escape = escape_of(character);
    if (character == "\"" || character == "\\") out += '\\';
    out += escape.empty() ? character : std::string_view(escape);
    at += character.size();
  }
  return out + "\"";
}

std::string printable(std::string_view text) { return escaped(text, ""); }

std::string printable_lines(std::string_view text) { return escaped(text, "\n\t"); }

}  // namespace heed
