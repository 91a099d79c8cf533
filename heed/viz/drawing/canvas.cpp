#include "heed/viz/drawing/canvas.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <cairo.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "heed/base/error.h"
#include "heed/io/atomic.h"
#include "heed/io/utf8.h"
#include "heed/viz/drawing/drawable.h"

namespace heed {
namespace {

constexpr double kLargestSide = 16000;  // pixels; cairo itself stops at 32,767

cairo_status_t append(void* closure, const unsigned char* data, unsigned int length) {
  static_cast<std::string*>(closure)->append(reinterpret_cast<const char*>(data), length);
  return CAIRO_STATUS_SUCCESS;
}

std::string xml_escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// cairo numbers images and surfaces through the whole process; here they count from 0 in each file,
// so the same picture has the same bytes. It also forgets that images are not to be smoothed.
std::string with_own_numbers(const std::string& svg) {
  constexpr std::string_view kImage = "<image id=";
  std::vector<std::string> numbers;  // in order of appearance
  std::string result;
  size_t at = 0;
  for (;;) {
    const size_t quote = svg.find('"', at);
    if (quote == std::string::npos) return result + svg.substr(at);
    size_t name = quote + 1;
    if (svg.compare(name, 1, "#") == 0) ++name;
    const size_t length = svg.compare(name, 5, "image") == 0     ? 5
                          : svg.compare(name, 7, "surface") == 0 ? 7
                          : svg.compare(name, 7, "source-") == 0 ? 7  // of cairo 1.18
                                                                 : 0;
    const size_t digits = name + length;
    const size_t end = svg.find_first_not_of("0123456789", digits);
    result += svg.substr(at, quote + 1 - at);
    at = quote + 1;
    if (length == 0 || end == digits || end == std::string::npos || svg[end] != '"') continue;
    const std::string number = svg.substr(digits, end - digits);
    const auto found = std::find(numbers.begin(), numbers.end(), number);
    result += svg.substr(at, digits - at) + std::to_string(found - numbers.begin());
    if (found == numbers.end()) numbers.push_back(number);
    at = end;
    if (quote >= kImage.size() && svg.compare(quote - kImage.size(), kImage.size(), kImage) == 0) {
      result += "\" image-rendering=\"pixelated\"";
      at = end + 1;
    }
  }
}

void check_status(cairo_status_t status) {
  if (status == CAIRO_STATUS_SUCCESS) return;
  throw Error(text_of("the picture could not be drawn: cairo says \"",
                      cairo_status_to_string(status), "\""));
}

}  // namespace

PictureFormat picture_format(const std::string& path) {
  const size_t dot = path.rfind('.');
  std::string extension = dot == std::string::npos ? "" : path.substr(dot);
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension == ".png") return PictureFormat::kPng;
  if (extension == ".svg") return PictureFormat::kSvg;
  if (extension == ".pdf") return PictureFormat::kPdf;
  throw UsageError(
      text_of(excerpt(path, 200),
              ": a picture is written as .png, .svg or .pdf, by the name of the file; give one of "
              "them"));
}

void Canvas::Free::operator()(_cairo* context) const { cairo_destroy(context); }
void Canvas::Free::operator()(_cairo_surface* surface) const { cairo_surface_destroy(surface); }

Canvas::Canvas(PictureFormat format, const CanvasSize& size, const std::string& title)
    : format_(format), title_(drawable(title)) {
  const double width = std::ceil(size.width), height = std::ceil(size.height);
  check_usage(size.scale > 0 && std::isfinite(size.scale),
              "the scale of a picture is the pixels a point, above 0, not ", size.scale);
  const double scale = std::min(size.scale, kLargestSide / std::max(width, height));
  if (format == PictureFormat::kPng) {
    surface_.reset(cairo_image_surface_create(CAIRO_FORMAT_RGB24,
                                              static_cast<int>(std::ceil(width * scale)),
                                              static_cast<int>(std::ceil(height * scale))));
  } else if (format == PictureFormat::kPdf) {
    surface_.reset(cairo_pdf_surface_create_for_stream(append, &bytes_, width, height));
    // Of a later one, cairo 1.18 packs the title where few programs look.
    cairo_pdf_surface_restrict_to_version(surface_.get(), CAIRO_PDF_VERSION_1_4);
    cairo_pdf_surface_set_metadata(surface_.get(), CAIRO_PDF_METADATA_TITLE, title_.c_str());
    // The time of writing would make every file another one.
    cairo_pdf_surface_set_metadata(surface_.get(), CAIRO_PDF_METADATA_CREATE_DATE,
                                   "1970-01-01T00:00:00Z");
  } else {
    surface_.reset(cairo_svg_surface_create_for_stream(append, &bytes_, width, height));
    cairo_svg_surface_set_document_unit(surface_.get(), CAIRO_SVG_UNIT_PX);
  }
  check_status(cairo_surface_status(surface_.get()));
  context_.reset(cairo_create(surface_.get()));
  if (format == PictureFormat::kPng) cairo_scale(context_.get(), scale, scale);
  cairo_set_line_join(context_.get(), CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_cap(context_.get(), CAIRO_LINE_CAP_ROUND);
  fill({{0, 0, width, height}}, {1, 1, 1});
}

Canvas::~Canvas() {
  // SVG and PDF surfaces write into bytes_ when they end, so they must end before bytes_ does.
  context_.reset();
  surface_.reset();
}

void Canvas::set_color(const Color& color) {
  cairo_set_source_rgb(context_.get(), color.red, color.green, color.blue);
}

void Canvas::fill(const std::vector<Box>& boxes, const Color& color) {
  cairo_t* context = context_.get();
  set_color(color);
  cairo_set_antialias(context, CAIRO_ANTIALIAS_NONE);
  for (const Box& box : boxes) cairo_rectangle(context, box.x, box.y, box.width, box.height);
  cairo_fill(context);
  cairo_set_antialias(context, CAIRO_ANTIALIAS_DEFAULT);
}

void Canvas::outline(const Box& box, const Color& color, double width) {
  set_color(color);
  cairo_set_line_width(context_.get(), width);
  cairo_rectangle(context_.get(), box.x, box.y, box.width, box.height);
  cairo_stroke(context_.get());
}

void Canvas::line(const std::vector<std::pair<double, double>>& points, const Color& color,
                  double width) {
  set_color(color);
  cairo_set_line_width(context_.get(), width);
  cairo_new_path(context_.get());  // a text leaves its end as a current point
  for (const auto& [x, y] : points) cairo_line_to(context_.get(), x, y);
  cairo_stroke(context_.get());
}

void Canvas::dot(double x, double y, double radius, const Color& color) {
  set_color(color);
  cairo_new_path(context_.get());
  cairo_arc(context_.get(), x, y, radius, 0, 2 * M_PI);
  cairo_fill(context_.get());
}

void Canvas::text(double x, double y, const std::string& text, const TextStyle& style) {
  draw_text(context_.get(), x, y, text, style, packages_);
}

std::vector<std::string> Canvas::notes() const {
  if (packages_.empty()) return {};
  std::string names;
  for (const std::string& package : packages_) names += " " + package;
  return {"no font here has some of the letters, which are drawn as boxes; on Debian: apt install" +
          names};
}

void Canvas::image(const Box& box, int64_t rows, int64_t columns,
                   const std::vector<Color>& colors) {
  // Each cell is as many pixels as it will cover at two pixels a point: not every viewer of SVG
  // obeys the wish not to smooth.
  const auto pixels = [](double length, int64_t cells) {
    return std::max<int64_t>(1, std::lround(2 * length / static_cast<double>(cells)));
  };
  const int64_t high = pixels(box.height, rows), wide = pixels(box.width, columns);
  const std::unique_ptr<cairo_surface_t, Free> picture(cairo_image_surface_create(
      CAIRO_FORMAT_RGB24, static_cast<int>(columns * wide), static_cast<int>(rows * high)));
  check_status(cairo_surface_status(picture.get()));
  cairo_surface_flush(picture.get());
  unsigned char* data = cairo_image_surface_get_data(picture.get());
  const int64_t stride = cairo_image_surface_get_stride(picture.get());
  const auto byte = [](double part) { return static_cast<uint32_t>(std::lround(part * 255)); };
  for (int64_t y = 0; y < rows * high; ++y) {
    auto* line = reinterpret_cast<uint32_t*>(data + y * stride);
    const Color* row = colors.data() + y / high * columns;
    for (int64_t column = 0; column < columns; ++column) {
      const Color& color = row[column];
      const uint32_t pixel = byte(color.red) << 16 | byte(color.green) << 8 | byte(color.blue);
      std::fill_n(line + column * wide, wide, pixel);
    }
  }
  cairo_surface_mark_dirty(picture.get());

  cairo_t* context = context_.get();
  cairo_save(context);
  cairo_translate(context, box.x, box.y);
  cairo_scale(context, box.width / static_cast<double>(columns * wide),
              box.height / static_cast<double>(rows * high));
  cairo_set_source_surface(context, picture.get(), 0, 0);
  cairo_pattern_set_filter(cairo_get_source(context), CAIRO_FILTER_NEAREST);
  cairo_set_antialias(context, CAIRO_ANTIALIAS_NONE);
  cairo_paint(context);
  cairo_restore(context);
}

std::string Canvas::finish() {
  check_status(cairo_status(context_.get()));
  context_.reset();
  if (format_ == PictureFormat::kPng) {
    check_status(cairo_surface_write_to_png_stream(surface_.get(), append, &bytes_));
    return std::move(bytes_);
  }
  cairo_surface_finish(surface_.get());
  check_status(cairo_surface_status(surface_.get()));
  if (format_ == PictureFormat::kPdf) return std::move(bytes_);
  bytes_ = with_own_numbers(bytes_);
  // cairo draws letters as shapes and writes no words at all.
  const size_t root = bytes_.find("<svg");
  const size_t inside = bytes_.find('>', root);
  bytes_.insert(inside + 1, "\n<title>" + xml_escaped(title_) + "</title>");
  return std::move(bytes_);
}

Picture picture_of(Canvas& canvas) { return {.bytes = canvas.finish(), .notes = canvas.notes()}; }

std::string png_of(int64_t rows, int64_t columns, const std::vector<Color>& pixels) {
  const auto height = static_cast<double>(rows), width = static_cast<double>(columns);
  Canvas canvas(PictureFormat::kPng, {.width = width, .height = height, .scale = 1}, "");
  canvas.image({0, 0, width, height}, rows, columns, pixels);
  return canvas.finish();
}

std::vector<std::string> write_picture(const std::string& path, const Picture& picture) {
  AtomicFile file(path);
  file.write(picture.bytes);
  file.commit();
  return picture.notes;
}

}  // namespace heed
