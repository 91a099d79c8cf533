// A text with some of its parts marked, for a terminal: on coloured backgrounds, or in brackets
// where there are no colours.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

struct MarkedPart {
  size_t begin = 0;  // bytes [begin, end) of the text
  size_t end = 0;
  std::string label;
  size_t kind = 0;  // parts of the same kind have the same colour; of some, colours repeat
};

// "[Tim Cook](person) visits [Paris](location)", or with escape codes of 24-bit colours. `text` is
// UTF-8; what a terminal would obey is replaced, so that a text cannot write escape codes of its
// own. Errors: UsageError for parts that overlap, are out of order or outside the text.
std::string marked_text(std::string_view text, const std::vector<MarkedPart>& parts, bool colors);

}  // namespace heed
