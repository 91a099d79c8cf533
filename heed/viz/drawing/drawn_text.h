// Text as pango shapes it: any script, from right to left too, with other fonts of this machine for
// the letters that the first one lacks. Lengths are in points. Text is UTF-8 and made drawable
// (drawable.h) first.
#pragma once

#include <set>
#include <string>

#include "heed/viz/drawing/color_map.h"

struct _cairo;

namespace heed {

struct Font {
  double size = 10;
  bool bold = false;
};

// How wide `text` is on one line.
double text_width(const std::string& text, const Font& font);

// How high it is in lines of at most `width`.
double text_height(const std::string& text, const Font& font, double width);

// `text`, or as much of it as fits in `width` with "…" behind it.
std::string ellipsised(const std::string& text, double width, const Font& font);

enum class Align { kLeft, kCenter, kRight };

struct TextStyle {
  Font font;
  Color color{0.13, 0.14, 0.17};
  Align align = Align::kLeft;
  double angle = 0;  // radians, clockwise, around the anchor
  double width = 0;  // wraps into lines of at most this; 0: one line
};

// Draws at (x, y): of one line, y is the vertical middle of small letters, so that a label stands
// level with what it names; of a text that wraps, its upper end. Debian packages that would have
// the letters for which no font is here are added to `packages`.
void draw_text(_cairo* context, double x, double y, const std::string& text, const TextStyle& style,
               std::set<std::string>& packages);

// The Debian package whose fonts have the letters of this code point.
std::string font_package(char32_t point);

}  // namespace heed
