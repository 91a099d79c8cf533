// The character classes and the lower case that the `tokenizers` package (0.23) uses, so that the
// same text falls into the same words here and there.
//
// That package mixes versions of Unicode: 8 for what counts as punctuation, 9 for normalisation,
// 16 for letters. ICU knows when a character was added (UAX #44, property Age), which gives the
// older versions; the characters that ICU 72 (Unicode 15) lacks stand in small tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace heed::text {

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

// Appends a code point as UTF-8.
void append_utf8(char32_t c, std::string& text);

// How many bytes it takes as UTF-8.
constexpr size_t utf8_size(char32_t c) {
  return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

bool is_ascii(std::string_view text);

// \s and \w of a regular expression (UTS #18, annex C).
bool is_white_space(char32_t c);
bool is_word_character(char32_t c);

// ASCII punctuation and general category P.
bool is_punctuation(char32_t c);

// General category N.
bool is_numeric(char32_t c);

// \p{L} and \p{N} of Oniguruma (Unicode 16), the regular expressions of byte-level tokenizers.
bool is_letter(char32_t c);
bool is_number(char32_t c);

// General categories M, Mn; Cc, Cf or Co but no tab or line break.
bool is_mark(char32_t c);
bool is_nonspacing_mark(char32_t c);
bool is_control(char32_t c);

// The blocks of Chinese characters that BERT's original tokenizer sets apart; Hangul, Hiragana and
// Katakana are not among them.
bool is_chinese_character(char32_t c);

// The lower case of one character, whatever stands around it. U+0130, whose lower case is two
// characters, gives its first, 'i'.
char32_t lower_case(char32_t c);

}  // namespace heed::text
