// UTF-8 text from anywhere, made safe to draw and to print.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heed {

// The code points of UTF-8 `text`. Each byte that is no UTF-8 and each noncharacter becomes U+FFFD;
// so does a control or bidirectional-override character, except that a newline becomes ⏎ and a tab
// ⇥: a picture or a terminal must show a token, not obey it.
std::u32string drawable_points(std::string_view text);

// The same as UTF-8.
std::string drawable(std::string_view text);

std::string utf8_of(std::u32string_view points);

// How many columns of a terminal a code point fills: 0 (combining), 1 or 2 (East Asian wide,
// emoji).
int terminal_columns(char32_t point);

}  // namespace heed
