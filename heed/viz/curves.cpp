#include "heed/viz/curves.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/viz/drawing/canvas.h"
#include "heed/viz/drawing/color_map.h"
#include "heed/viz/drawing/fonts.h"
#include "heed/viz/drawing/ticks.h"

namespace heed {
namespace {

constexpr double kMargin = 16;
constexpr double kBelowPanel = 32;  // tick labels, and air before the next panel
constexpr Color kGrid{0.91, 0.92, 0.94};
constexpr Color kAxis{0.60, 0.62, 0.67};
constexpr size_t kMostDots = 40;  // a curve of so few points shows each of them

// Told apart by the colour-blind too, in this order: lightness alternates.
constexpr std::array<Color, 8> kColors{{{0.13, 0.36, 0.69},
                                        {0.91, 0.45, 0.13},
                                        {0.11, 0.55, 0.47},
                                        {0.60, 0.24, 0.56},
                                        {0.72, 0.58, 0.05},
                                        {0.35, 0.37, 0.42},
                                        {0.36, 0.67, 0.90},
                                        {0.80, 0.25, 0.30}}};

struct Span {
  double low = INFINITY, high = -INFINITY;
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return !(low <= high); }
  // Room at both ends, and some width even where all values are the same.
  Span padded(double share) const {
    const double width = high - low;
    const double room = width > 0 ? width * share : std::max(std::abs(high) * 0.1, 1e-9);
    return {low - room, high + room};
  }
};

bool finite_point(const Curve& curve, size_t i) {
  return std::isfinite(curve.x[i]) && std::isfinite(curve.y[i]);
}

Span span_of(const CurvePanel& panel, const std::vector<double> Curve::*values) {
  Span span;
  for (const Curve& curve : panel.curves) {
    for (size_t i = 0; i < curve.x.size(); ++i) {
      if (finite_point(curve, i)) span.add((curve.*values)[i]);
    }
  }
  return span;
}

bool whole_numbers(const CurveChart& chart) {
  for (const CurvePanel& panel : chart.panels) {
    for (const Curve& curve : panel.curves) {
      for (const double x : curve.x) {
        if (std::isfinite(x) && x != std::floor(x)) return false;
      }
    }
  }
  return true;
}

struct Axes {
  Box plot;
  Span x, y;
  double to_x(double value) const {
    return plot.x + (value - x.low) / (x.high - x.low) * plot.width;
  }
  double to_y(double value) const {
    return plot.y + plot.height - (value - y.low) / (y.high - y.low) * plot.height;
  }
};

using Points = std::vector<std::pair<double, double>>;

// The unbroken parts of a curve in points of the page. Of many points in the same half point of
// width only the lowest and the highest are kept: a million steps still look as they are.
std::vector<Points> lines_of(const Curve& curve, const Axes& axes) {
  std::vector<Points> lines(1);
  double strip = -1;
  size_t in_strip = 0;
  for (size_t i = 0; i < curve.x.size(); ++i) {
    if (!finite_point(curve, i)) {
      if (!lines.back().empty()) lines.emplace_back();
      strip = -1;
      continue;
    }
    const std::pair<double, double> point{axes.to_x(curve.x[i]), axes.to_y(curve.y[i])};
    Points& line = lines.back();
    if (std::floor(point.first * 2) != strip) {
      strip = std::floor(point.first * 2);
      in_strip = 0;
    }
    if (in_strip < 4) {
      line.push_back(point);
      ++in_strip;
      continue;
    }
    // In a strip: first, lowest, highest, last.
    auto& lowest = line[line.size() - 3];
    auto& highest = line[line.size() - 2];
    auto& last = line.back();
    if (last.second > lowest.second) std::swap(lowest, last);
    if (last.second < highest.second) std::swap(highest, last);
    last = point;
  }
  return lines;
}

// A name has one colour in all panels.
std::vector<std::string> names_of(const CurveChart& chart) {
  std::vector<std::string> names;
  for (const CurvePanel& panel : chart.panels) {
    for (const Curve& curve : panel.curves) {
      if (std::find(names.begin(), names.end(), curve.name) == names.end()) {
        names.push_back(curve.name);
      }
    }
  }
  return names;
}

const Color& color_of(const std::string& name, const std::vector<std::string>& names) {
  const auto found = std::find(names.begin(), names.end(), name);
  return kColors[static_cast<size_t>(found - names.begin()) % kColors.size()];
}

void draw_curve(Canvas& canvas, const Curve& curve, const Axes& axes, const Color& color) {
  for (const Points& line : lines_of(curve, axes)) {
    if (line.size() > 1) canvas.line(line, color, 1.6);
    if (curve.x.size() > kMostDots && line.size() > 1) continue;
    for (const auto& [x, y] : line) canvas.dot(x, y, 2.4, color);
  }
}

void draw_axes(Canvas& canvas, const Axes& axes, const Ticks& x_ticks, const Ticks& y_ticks) {
  const Box& plot = axes.plot;
  const double bottom = plot.y + plot.height;
  for (size_t i = 0; i < y_ticks.values.size(); ++i) {
    const double y = axes.to_y(y_ticks.values[i]);
    canvas.line({{plot.x, y}, {plot.x + plot.width, y}}, kGrid, 0.75);
    canvas.text(plot.x - 6, y, y_ticks.labels[i],
                {.font = kTickFont, .color = kSoftColor, .align = Align::kRight});
  }
  for (size_t i = 0; i < x_ticks.values.size(); ++i) {
    const double x = axes.to_x(x_ticks.values[i]);
    canvas.line({{x, bottom}, {x, bottom + 3.5}}, kAxis, 0.9);
    canvas.text(x, bottom + 11, x_ticks.labels[i],
                {.font = kTickFont, .color = kSoftColor, .align = Align::kCenter});
  }
  canvas.line({{plot.x, bottom}, {plot.x + plot.width, bottom}}, kAxis, 0.9);
}

// One name after the other, on further lines where they do not fit; returns the height.
double draw_legend(Canvas* canvas, const std::vector<Curve>& curves,
                   const std::vector<std::string>& names, const Box& place) {
  double x = place.x, y = place.y;
  for (const Curve& curve : curves) {
    const std::string name = ellipsised(curve.name, place.width - 24, kAxisFont);
    const double width = 22 + text_width(name, kAxisFont) + 16;
    if (x > place.x && x + width - 16 > place.x + place.width) {
      x = place.x;
      y += 15;
    }
    if (canvas != nullptr) {
      const Color& color = color_of(curve.name, names);
      canvas->line({{x, y}, {x + 16, y}}, color, 1.8);
      canvas->dot(x + 8, y, 2.4, color);
      canvas->text(x + 22, y, name, {.font = kAxisFont});
    }
    x += width;
  }
  return y - place.y + 15;
}

void check_chart(const CurveChart& chart, const CurveOptions& options) {
  const std::string name = "training curves " + excerpt(chart.title);
  check_usage(!chart.panels.empty(), name, ": at least one panel is needed");
  check_usage(options.width >= 160 && options.height >= 80 && options.width <= 8000 &&
                  options.height <= 8000,
              name, ": a picture is at least 160 × 80 points and at most 8000 × 8000, not ",
              options.width, " × ", options.height);
  Span finite;
  for (const CurvePanel& panel : chart.panels) {
    for (const Curve& curve : panel.curves) {
      check_usage(curve.x.size() == curve.y.size(), name, ": curve ", excerpt(curve.name), " has ",
                  curve.x.size(), " values of x and ", curve.y.size(), " of y");
    }
    const Span span = span_of(panel, &Curve::x);
    if (!span.empty()) finite.add(span.low);
  }
  check_usage(!finite.empty(), name, ": there is no finite point to draw");
}

// What all panels have below them, with a little room on both sides.
Span span_of_x(const CurveChart& chart) {
  Span x;
  for (const CurvePanel& panel : chart.panels) {
    const Span span = span_of(panel, &Curve::x);
    if (!span.empty()) x.add(span.low), x.add(span.high);
  }
  return x.high > x.low ? x.padded(0.02) : Span{x.low - 1, x.high + 1};
}

struct PanelParts {
  Span y;
  Ticks ticks;
  double legend = 0;  // its height
};

std::vector<PanelParts> parts_of(const CurveChart& chart, const CurveOptions& options) {
  std::vector<PanelParts> parts;
  for (const CurvePanel& panel : chart.panels) {
    const Span y = span_of(panel, &Curve::y);
    PanelParts part{y.empty() ? Span{0, 1} : y.padded(0.06), {}, 0};
    part.ticks = nice_ticks(part.y.low, part.y.high, static_cast<int>(options.height / 45));
    parts.push_back(std::move(part));
  }
  return parts;
}

// Of the widest label of an axis that goes up.
double tick_width_of(const std::vector<PanelParts>& parts) {
  double widest = 0;
  for (const PanelParts& part : parts) {
    for (const std::string& label : part.ticks.labels) {
      widest = std::max(widest, text_width(label, kTickFont));
    }
  }
  return widest;
}

Picture draw(const CurveChart& chart, PictureFormat format, const CurveOptions& options) {
  const Span x = span_of_x(chart);
  const std::vector<std::string> names = names_of(chart);
  std::vector<PanelParts> parts = parts_of(chart, options);
  const double left = kMargin + 18 + tick_width_of(parts) + 8;
  const double width = options.width - left - kMargin;
  const double title_width = options.width - 2 * kMargin;
  const double top =
      kMargin + (chart.title.empty() ? 0 : text_height(chart.title, kTitleFont, title_width) + 10);
  double height = top;
  for (size_t i = 0; i < parts.size(); ++i) {
    parts[i].legend = draw_legend(nullptr, chart.panels[i].curves, names, {left, 0, width, 0});
    height += parts[i].legend + 4 + options.height + kBelowPanel;
  }
  height += kMargin;

  Canvas canvas(format, {options.width, height, options.scale}, chart.title);
  if (!chart.title.empty()) {
    canvas.text(kMargin, kMargin, chart.title, {.font = kTitleFont, .width = title_width});
  }
  const Ticks x_ticks =
      nice_ticks(x.low, x.high, static_cast<int>(width / 75), whole_numbers(chart) ? 1 : 0);
  double y = top;
  for (size_t i = 0; i < parts.size(); ++i) {
    const CurvePanel& panel = chart.panels[i];
    draw_legend(&canvas, panel.curves, names, {left, y + 6, width, 0});
    y += parts[i].legend + 4;
    const Axes axes{{left, y, width, options.height}, x, parts[i].y};
    draw_axes(canvas, axes, x_ticks, parts[i].ticks);
    canvas.text(
        kMargin + 6, y + options.height / 2, panel.y_axis,
        {.font = kAxisFont, .color = kSoftColor, .align = Align::kCenter, .angle = -M_PI / 2});
    for (const Curve& curve : panel.curves) {
      draw_curve(canvas, curve, axes, color_of(curve.name, names));
    }
    y += options.height + kBelowPanel;
  }
  canvas.text(left + width / 2, y - 5, chart.x_axis,
              {.font = kAxisFont, .color = kSoftColor, .align = Align::kCenter});
  return picture_of(canvas);
}

}  // namespace

std::vector<std::string> write_curves(const CurveChart& chart, const std::string& path,
                                      const CurveOptions& options) {
  const PictureFormat format = picture_format(path);
  check_chart(chart, options);
  return write_picture(path, draw(chart, format, options));
}

std::string curves_svg(const CurveChart& chart, const CurveOptions& options) {
  check_chart(chart, options);
  return draw(chart, PictureFormat::kSvg, options).bytes;
}

}  // namespace heed
