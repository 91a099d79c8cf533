// Splitting the pieces of a text at characters or matches.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "heed/io/json.h"
#include "heed/text/characters/unicode.h"
#include "heed/text/pre_tokenizer.h"

namespace heed::text {

// What becomes of a delimiter. "the-final--countdown" at '-':
enum class Delimiters : uint8_t {
  kRemoved,             // the final countdown
  kIsolated,            // the - final - - countdown
  kMergedWithPrevious,  // the- final- - countdown
  kMergedWithNext,      // the -final - -countdown
  kContiguous,          // the - final -- countdown
};

// "Removed", "Isolated", ... as in tokenizer.json.
std::string_view name_of(Delimiters delimiters);
Delimiters read_delimiters(const JsonValue& json);

// A part of a piece, empty where a delimiter is; together the parts cover it.
struct DelimitedPart {
  Span range;
  bool is_delimiter;
};

// Appends what `delimiters` makes of the parts of one piece to `pieces`, none of them empty.
void append_parts(const std::vector<DelimitedPart>& parts, Delimiters delimiters,
                  std::vector<Piece>& pieces);

// Replaces every piece without an id by what split(range, pieces) appends.
template <typename Split>
void split_pieces(SplitText& split, Split split_piece) {
  std::vector<Piece> pieces;
  pieces.reserve(split.pieces.size() + split.text.size() / 4);
  for (const Piece& piece : split.pieces) {
    if (piece.id == kNoId) {
      split_piece(piece.range, pieces);
    } else {
      pieces.push_back(piece);
    }
  }
  split.pieces = std::move(pieces);
}

// Splits at the characters for which is_delimiter holds, each of them a delimiter of its own.
template <typename Test>
void split_at_characters(SplitText& split, Delimiters delimiters, Test is_delimiter) {
  std::vector<DelimitedPart> parts;
  const std::string_view text = split.text.text();
  split_pieces(split, [&](Span range, std::vector<Piece>& pieces) {
    parts.clear();
    for (size_t at = range.begin; at < range.end;) {
      const auto begin = static_cast<uint32_t>(at);
      const bool found = is_delimiter(next_code_point(text, at));
      const auto end = static_cast<uint32_t>(at);
      if (!found && !parts.empty() && !parts.back().is_delimiter) {
        parts.back().range.end = end;
      } else {
        parts.push_back({{begin, end}, found});
      }
    }
    append_parts(parts, delimiters, pieces);
  });
}

}  // namespace heed::text
