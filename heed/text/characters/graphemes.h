// Where a character as readers see it ends: extended grapheme clusters (UAX #29), such as a letter
// with its combining marks, a flag, or a family of emoji.
#pragma once

#include <cstddef>
#include <string_view>

namespace heed::text {

// The end of the cluster that begins at text[begin]; `begin` is in front of the end of the text.
size_t grapheme_end(std::string_view text, size_t begin);

}  // namespace heed::text
