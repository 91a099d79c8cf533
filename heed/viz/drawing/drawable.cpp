#include "heed/viz/drawing/drawable.h"

#include <cstddef>

#include "heed/io/utf8.h"

namespace heed {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

struct CodePoints {
  char32_t first, last;
};

template <size_t N>
bool in_any(const CodePoints (&ranges)[N], char32_t point) {
  for (const CodePoints& range : ranges) {
    if (point >= range.first && point <= range.last) return true;
  }
  return false;
}

char32_t shown(char32_t point) {
  static constexpr CodePoints kUnsafe[] = {
      {0x00, 0x1F},     {0x7F, 0x9F},      // controls
      {0x202A, 0x202E}, {0x2066, 0x2069},  // bidirectional overrides
      {0x2028, 0x2029},                    // line and paragraph separators
      {0xFDD0, 0xFDEF},                    // noncharacters, which cairo refuses
  };
  if (point == '\n') return U'⏎';
  if (point == '\t') return U'⇥';
  if (in_any(kUnsafe, point) || (point & 0xFFFE) == 0xFFFE) return kReplacement;
  return point;
}

}  // namespace

std::u32string drawable_points(std::string_view text) {
  std::u32string points;
  points.reserve(text.size());
  while (!text.empty()) {
    const size_t good = valid_utf8_prefix(text);
    for (size_t at = 0; at < good;) points += shown(next_code_point(text, at));
    if (good == text.size()) break;
    points += kReplacement;
    text.remove_prefix(good + 1);
  }
  return points;
}

std::string utf8_of(std::u32string_view points) {
  std::string text;
  for (const char32_t point : points) append_utf8(point, text);
  return text;
}

std::string drawable(std::string_view text) { return utf8_of(drawable_points(text)); }

int terminal_columns(char32_t point) {
  // The blocks that matter, from EastAsianWidth.txt and the combining blocks of Unicode 15.
  static constexpr CodePoints kCombining[] = {
      {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F},
      {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF},
      {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF}};
  static constexpr CodePoints kWide[] = {{0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},
                                         {0xA960, 0xA97C},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
                                         {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},
                                         {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF},
                                         {0x20000, 0x3FFFD}};
  if (in_any(kCombining, point)) return 0;
  return in_any(kWide, point) ? 2 : 1;
}

}  // namespace heed
