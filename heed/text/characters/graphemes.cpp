#include "heed/text/characters/graphemes.h"

#include <unicode/uchar.h>

#include <cstdint>

#include "heed/text/characters/unicode.h"

namespace heed::text {
namespace {

UGraphemeClusterBreak class_of(char32_t c) {
  if (c >= ' ' && c < 0x7F) return U_GCB_OTHER;
  return static_cast<UGraphemeClusterBreak>(
      u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_GRAPHEME_CLUSTER_BREAK));
}

bool is_break(UGraphemeClusterBreak kind) {
  return kind == U_GCB_CONTROL || kind == U_GCB_CR || kind == U_GCB_LF;
}

bool is_pictograph(char32_t c) {
  return c >= 0xA9 && u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_EXTENDED_PICTOGRAPHIC);
}

// Rules GB6 to GB8: the parts of a Korean syllable.
bool joins_syllable(UGraphemeClusterBreak left, UGraphemeClusterBreak right) {
  switch (left) {
    case U_GCB_L:
      return right == U_GCB_L || right == U_GCB_V || right == U_GCB_LV || right == U_GCB_LVT;
    case U_GCB_LV:
    case U_GCB_V:
      return right == U_GCB_V || right == U_GCB_T;
    case U_GCB_LVT:
    case U_GCB_T:
      return right == U_GCB_T;
    default:
      return false;
  }
}

// Whether a pictograph that began a cluster goes on over what follows it (rule GB11).
enum class Emoji : uint8_t { kNone, kPictograph, kJoined };

}  // namespace

size_t grapheme_end(std::string_view text, size_t begin) {
  size_t at = begin;
  char32_t c = next_code_point(text, at);
  UGraphemeClusterBreak left = class_of(c);
  Emoji emoji = is_pictograph(c) ? Emoji::kPictograph : Emoji::kNone;
  size_t flags = left == U_GCB_REGIONAL_INDICATOR ? 1 : 0;
  while (at < text.size()) {
    size_t next = at;
    c = next_code_point(text, next);
    const UGraphemeClusterBreak right = class_of(c);
    bool joins = left == U_GCB_CR && right == U_GCB_LF;   // GB3
    if (!joins && !is_break(left) && !is_break(right)) {  // GB4, GB5
      joins = joins_syllable(left, right) || right == U_GCB_EXTEND || right == U_GCB_ZWJ ||
              right == U_GCB_SPACING_MARK || left == U_GCB_PREPEND ||  // GB9, 9a, 9b
              (emoji == Emoji::kJoined && is_pictograph(c)) ||         // GB11
              (right == U_GCB_REGIONAL_INDICATOR && flags == 1);       // GB12, GB13
    }
    if (!joins) break;
    if (right == U_GCB_ZWJ && emoji == Emoji::kPictograph) {
      emoji = Emoji::kJoined;
    } else if (is_pictograph(c)) {
      emoji = Emoji::kPictograph;
    } else if (right != U_GCB_EXTEND || emoji == Emoji::kJoined) {
      emoji = Emoji::kNone;
    }
    flags = right == U_GCB_REGIONAL_INDICATOR ? flags + 1 : 0;
    left = right;
    at = next;
  }
  return at;
}

}  // namespace heed::text
