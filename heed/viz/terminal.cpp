#include "heed/viz/terminal.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "heed/base/error.h"
#include "heed/viz/drawing/color_map.h"
#include "heed/viz/drawing/drawable.h"

namespace heed {
namespace {

int byte_of(double part) { return static_cast<int>(std::lround(part * 255)); }

std::string escape_code(int kind, const Color& color) {  // kind: 38 text, 48 background
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "\x1b[%d;2;%d;%d;%dm", kind, byte_of(color.red),
                byte_of(color.green), byte_of(color.blue));
  return buffer;
}

// A token as it is shown, and the columns that it fills.
struct Piece {
  std::string text;
  int columns = 0;
};

Piece piece_of(const std::string& token) {
  const std::u32string points = drawable_points(token);
  Piece piece{utf8_of(points), 0};
  for (const char32_t point : points) piece.columns += terminal_columns(point);
  return piece;
}

Piece shaded(Piece piece, float weight, float high) {
  const Color background =
      std::isfinite(weight) ? color_of_share(high > 0 ? weight / high : 0) : kNotFiniteColor;
  piece.text = escape_code(48, background) + escape_code(38, text_color_on(background)) + " " +
               piece.text + " \x1b[0m";
  piece.columns += 2;
  return piece;
}

Piece with_percentage(Piece piece, float weight) {
  char buffer[32] = "(?)";
  if (std::isfinite(weight)) {
    std::snprintf(buffer, sizeof buffer, "(%.*f%%)", weight < 0.0995F ? 1 : 0,
                  100 * static_cast<double>(weight));
  }
  piece.text += buffer;
  piece.columns += static_cast<int>(std::string(buffer).size());
  return piece;
}

}  // namespace

std::string attention_text(const std::vector<std::string>& tokens,
                           const std::vector<float>& weights, const TerminalOptions& options) {
  check_usage(tokens.size() == weights.size(), "each token needs one weight: ", tokens.size(),
              " tokens and ", weights.size(), " weights came");
  float high = options.high;
  if (!(high > 0)) {
    high = 0;
    for (const float weight : weights) {
      if (std::isfinite(weight)) high = std::max(high, weight);
    }
  }

  std::string text;
  int column = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Piece plain = piece_of(tokens[i]);
    const Piece piece =
        options.colors ? shaded(plain, weights[i], high) : with_percentage(plain, weights[i]);
    const int space = options.colors || column == 0 ? 0 : 1;
    if (column > 0 && column + space + piece.columns > options.width) {
      text += '\n';
      column = 0;
    } else if (space == 1) {
      text += ' ';
      ++column;
    }
    text += piece.text;
    column += piece.columns;
  }
  if (column > 0) text += '\n';
  return text;
}

}  // namespace heed
