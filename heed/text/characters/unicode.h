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

#include "heed/io/utf8.h"

namespace heed::text {

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
