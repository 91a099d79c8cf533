// A page to draw on, the same for PNG and SVG, over cairo. Lengths are in points.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "heed/viz/color_map.h"

struct _cairo;
struct _cairo_surface;

namespace heed {

enum class PictureFormat { kPng, kSvg };

// By the file's extension, in upper or lower case; UsageError for any other.
PictureFormat picture_format(const std::string& path);

struct Font {
  double size = 10;
  bool bold = false;
};

// How wide `text` is. Text is UTF-8 and made drawable (unicode.h) first.
double text_width(const std::string& text, const Font& font);

// `text`, or as much of it as fits in `width` with "…" behind it.
std::string ellipsised(const std::string& text, double width, const Font& font);

struct Box {
  double x = 0, y = 0, width = 0, height = 0;
};

enum class Align { kLeft, kCenter, kRight };

struct TextStyle {
  Font font;
  Color color{0.13, 0.14, 0.17};
  Align align = Align::kLeft;
  double angle = 0;  // radians, clockwise, around the anchor
};

struct CanvasSize {
  double width = 0, height = 0;
  double scale = 2;  // pixels a point in a PNG, reduced where the picture would pass 16,000 pixels
};

class Canvas {
 public:
  // A white page. `title` is what programs that read an SVG aloud say; a PNG does not hold it.
  Canvas(PictureFormat format, const CanvasSize& size, const std::string& title);
  ~Canvas();
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;

  // Filled without smoothing: edges that meet leave no seam between them.
  void fill(const std::vector<Box>& boxes, const Color& color);
  void outline(const Box& box, const Color& color, double width);
  void line(const std::vector<std::pair<double, double>>& points, const Color& color, double width);
  void dot(double x, double y, double radius, const Color& color);

  // `y` is the vertical middle of small letters, so a label stands level with what it names.
  void text(double x, double y, const std::string& text, const TextStyle& style);

  // rows × columns colours, stretched over `box` without smoothing.
  void image(const Box& box, int64_t rows, int64_t columns, const std::vector<Color>& colors);

  // Ends the page: the bytes of the file.
  std::string finish();

 private:
  void set_color(const Color& color);

  PictureFormat format_;
  std::string title_;
  std::string bytes_;
  struct Free {
    void operator()(_cairo* context) const;
    void operator()(_cairo_surface* surface) const;
  };
  std::unique_ptr<_cairo_surface, Free> surface_;
  std::unique_ptr<_cairo, Free> context_;
};

// Replaces the file at `path` whole, or throws IoError and leaves it as it was.
void write_picture(const std::string& path, const std::string& bytes);

}  // namespace heed
