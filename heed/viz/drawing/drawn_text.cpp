#include "heed/viz/drawing/drawn_text.h"

#include <cairo.h>
#include <pango/pangocairo.h>

#include <memory>

#include "heed/viz/drawing/drawable.h"

namespace heed {
namespace {

// DejaVu has arrows, mathematics and most alphabets; fontconfig puts its nearest in place of it.
constexpr const char* kFamily = "DejaVu Sans";

struct Free {
  void operator()(PangoLayout* layout) const { g_object_unref(layout); }
  void operator()(PangoFontDescription* font) const { pango_font_description_free(font); }
  void operator()(cairo_t* context) const { cairo_destroy(context); }
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};

double points(int pango_units) { return static_cast<double>(pango_units) / PANGO_SCALE; }

// A text that is ready to be measured and drawn on a page.
class Shaped {
 public:
  Shaped(cairo_t* page, const Font& font, double width = 0)
      : page_(page), layout_(pango_cairo_create_layout(page)) {
    const std::unique_ptr<PangoFontDescription, Free> described(pango_font_description_new());
    pango_font_description_set_family(described.get(), kFamily);
    pango_font_description_set_absolute_size(described.get(), font.size * PANGO_SCALE);
    pango_font_description_set_weight(described.get(),
                                      font.bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(layout_.get(), described.get());
    if (width > 0) {
      pango_layout_set_width(layout_.get(), static_cast<int>(width * PANGO_SCALE));
      pango_layout_set_wrap(layout_.get(), PANGO_WRAP_WORD_CHAR);
    }
    // Without hints a text has the same width at every scale and in both formats.
    PangoContext* context = pango_layout_get_context(layout_.get());
    cairo_font_options_t* options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(context, options);
    cairo_font_options_destroy(options);
    pango_context_set_round_glyph_positions(context, FALSE);
    pango_layout_context_changed(layout_.get());
  }

  void set(const std::string& drawable_text) {
    pango_layout_set_text(layout_.get(), drawable_text.data(),
                          static_cast<int>(drawable_text.size()));
  }
  double width() const { return size().first; }
  double height() const { return size().second; }
  double baseline() const { return points(pango_layout_get_baseline(layout_.get())); }
  bool lacks_letters() const { return pango_layout_get_unknown_glyphs_count(layout_.get()) > 0; }

  // With its upper left corner at the current point.
  void show() {
    pango_cairo_update_layout(page_, layout_.get());
    pango_cairo_show_layout(page_, layout_.get());
  }

 private:
  std::pair<double, double> size() const {
    int width = 0, height = 0;
    pango_layout_get_size(layout_.get(), &width, &height);
    return {points(width), points(height)};
  }

  cairo_t* page_;
  std::unique_ptr<PangoLayout, Free> layout_;
};

// A page of nothing, to measure on.
cairo_t* no_page() {
  thread_local const std::unique_ptr<cairo_surface_t, Free> surface(
      cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1));
  thread_local const std::unique_ptr<cairo_t, Free> context(cairo_create(surface.get()));
  return context.get();
}

void add_packages(const std::string& drawable_text, const Font& font,
                  std::set<std::string>& packages) {
  Shaped one(no_page(), font);
  for (const char32_t point : drawable_points(drawable_text)) {
    one.set(utf8_of(std::u32string(1, point)));
    if (one.lacks_letters()) packages.insert(font_package(point));
  }
}

}  // namespace

double text_width(const std::string& text, const Font& font) {
  Shaped shaped(no_page(), font);
  shaped.set(drawable(text));
  return shaped.width();
}

double text_height(const std::string& text, const Font& font, double width) {
  Shaped shaped(no_page(), font, width);
  shaped.set(drawable(text));
  return shaped.height();
}

std::string ellipsised(const std::string& text, double width, const Font& font) {
  Shaped shaped(no_page(), font);
  const auto fits = [&](const std::string& drawable_text) {
    shaped.set(drawable_text);
    return shaped.width() <= width;
  };
  // No more letters than could ever fit: a label may be a whole document.
  std::u32string points = drawable_points(text.substr(0, 4096));
  const std::string whole = utf8_of(points);
  if (text.size() <= 4096 && fits(whole)) return whole;
  size_t kept = 0, refused = points.size();
  while (kept + 1 < refused) {
    const size_t middle = (kept + refused) / 2;
    (fits(utf8_of(points.substr(0, middle)) + "…") ? kept : refused) = middle;
  }
  // A combining mark stays with the letter it belongs to.
  while (kept > 0 && kept < points.size() && terminal_columns(points[kept]) == 0) --kept;
  return utf8_of(points.substr(0, kept)) + "…";
}

void draw_text(_cairo* context, double x, double y, const std::string& text, const TextStyle& style,
               std::set<std::string>& packages) {
  const std::string shown = drawable(text);
  cairo_save(context);
  cairo_translate(context, x, y);
  cairo_rotate(context, style.angle);
  Shaped shaped(context, style.font, style.width);
  shaped.set(shown);
  const double shift = style.align == Align::kLeft     ? 0
                       : style.align == Align::kCenter ? shaped.width() / 2
                                                       : shaped.width();
  const double lift = style.width > 0 ? 0 : shaped.baseline() - 0.36 * style.font.size;
  cairo_move_to(context, -shift, -lift);
  cairo_set_source_rgb(context, style.color.red, style.color.green, style.color.blue);
  shaped.show();
  cairo_restore(context);
  if (shaped.lacks_letters()) add_packages(shown, style.font, packages);
}

std::string font_package(char32_t point) {
  const auto within = [point](char32_t first, char32_t last) {
    return point >= first && point <= last;
  };
  const bool east_asian = within(0x1100, 0x11FF) || within(0x2E80, 0x9FFF) ||
                          within(0xA960, 0xA97F) || within(0xAC00, 0xD7FF) ||
                          within(0xF900, 0xFAFF) || within(0xFE30, 0xFE4F) ||
                          within(0xFF00, 0xFFEF) || within(0x20000, 0x3FFFF);
  if (east_asian) return "fonts-noto-cjk";
  if (within(0x1F000, 0x1FAFF) || within(0x2600, 0x27BF)) return "fonts-noto-color-emoji";
  return point < 0x0530 ? "fonts-dejavu-core" : "fonts-noto-core";
}

}  // namespace heed
