// A page to draw on, the same for PNG, SVG and PDF, over cairo and pango. Lengths are in points.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "heed/viz/drawing/color_map.h"
#include "heed/viz/drawing/drawn_text.h"

struct _cairo;
struct _cairo_surface;

namespace heed {

enum class PictureFormat { kPng, kSvg, kPdf };

// By the file's extension, in upper or lower case; UsageError for any other.
PictureFormat picture_format(const std::string& path);

struct Box {
  double x = 0, y = 0, width = 0, height = 0;
};

struct CanvasSize {
  double width = 0, height = 0;
  double scale = 2;  // pixels a point in a PNG, reduced where the picture would pass 16,000 pixels
};

class Canvas {
 public:
  // A white page. `title` is what programs that read an SVG or PDF aloud say; a PNG does not hold
  // it.
  Canvas(PictureFormat format, const CanvasSize& size, const std::string& title);
  ~Canvas();
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;

  // Filled without smoothing: edges that meet leave no seam between them.
  void fill(const std::vector<Box>& boxes, const Color& color);
  void outline(const Box& box, const Color& color, double width);
  void line(const std::vector<std::pair<double, double>>& points, const Color& color, double width);
  void dot(double x, double y, double radius, const Color& color);

  // As draw_text() of drawn_text.h.
  void text(double x, double y, const std::string& text, const TextStyle& style);

  // rows × columns colours, stretched over `box` without smoothing.
  void image(const Box& box, int64_t rows, int64_t columns, const std::vector<Color>& colors);

  // Ends the page: the bytes of the file.
  std::string finish();

  // What whoever asked for the picture should know: letters that no font here has.
  std::vector<std::string> notes() const;

 private:
  void set_color(const Color& color);

  PictureFormat format_;
  std::string title_;
  std::string bytes_;
  std::set<std::string> packages_;  // whose fonts are missing
  struct Free {
    void operator()(_cairo* context) const;
    void operator()(_cairo_surface* surface) const;
  };
  std::unique_ptr<_cairo_surface, Free> surface_;
  std::unique_ptr<_cairo, Free> context_;
};

// A finished page.
struct Picture {
  std::string bytes;
  std::vector<std::string> notes;
};
Picture picture_of(Canvas& canvas);

// The bytes of a PNG of rows × columns pixels.
std::string png_of(int64_t rows, int64_t columns, const std::vector<Color>& pixels);

// Replaces the file at `path` whole, or throws IoError and leaves it as it was. Returns the notes.
std::vector<std::string> write_picture(const std::string& path, const Picture& picture);

}  // namespace heed
