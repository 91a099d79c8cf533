#include "heed/viz/drawing/color_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace heed {
namespace {

constexpr size_t kSteps = 256;

struct Lab {
  double lightness, a, b;
};

double distance(const Lab& x, const Lab& y) {
  return std::hypot(x.lightness - y.lightness, x.a - y.a, x.b - y.b);
}

// The path through OKLab: lightness falls evenly, the hue turns from teal to violet, and the colour
// is strongest in the middle, where sRGB has room for it.
Lab path_at(double t) {
  const double lightness = 0.99 - 0.74 * t;
  const double chroma = 0.004 + 0.135 * std::pow(std::sin(M_PI * std::pow(t, 0.85) * 0.72), 1.3);
  const double hue = (195 + 95 * std::pow(t, 0.9)) * M_PI / 180;
  return {lightness, chroma * std::cos(hue), chroma * std::sin(hue)};
}

double gamma_coded(double linear) {
  linear = std::clamp(linear, 0.0, 1.0);
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * std::pow(linear, 1 / 2.4) - 0.055;
}

// As a screen shows it.
double in_bytes(double part) { return std::lround(part * 255) / 255.0; }

double linear_of(double coded) {
  return coded <= 0.04045 ? coded / 12.92 : std::pow((coded + 0.055) / 1.055, 2.4);
}

Color srgb_of(const Lab& lab) {
  const auto cube = [](double x) { return x * x * x; };
  const double l = cube(lab.lightness + 0.3963377774 * lab.a + 0.2158037573 * lab.b);
  const double m = cube(lab.lightness - 0.1055613458 * lab.a - 0.0638541728 * lab.b);
  const double s = cube(lab.lightness - 0.0894841775 * lab.a - 1.2914855480 * lab.b);
  return {in_bytes(gamma_coded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s)),
          in_bytes(gamma_coded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s)),
          in_bytes(gamma_coded(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s))};
}

// Points of the path at equal distances along it.
std::array<Color, kSteps> even_colors() {
  constexpr size_t kFine = 8192;
  std::array<double, kFine + 1> length{};
  for (size_t i = 1; i <= kFine; ++i) {
    const auto at = [](size_t index) {
      return path_at(static_cast<double>(index) / static_cast<double>(kFine));
    };
    length[i] = length[i - 1] + distance(at(i - 1), at(i));
  }
  std::array<Color, kSteps> colors;
  for (size_t step = 0; step < kSteps; ++step) {
    const double wanted = length[kFine] * static_cast<double>(step) / (kSteps - 1);
    const auto found = std::lower_bound(length.begin(), length.end(), wanted);
    colors[step] = srgb_of(path_at(static_cast<double>(found - length.begin()) / kFine));
  }
  return colors;
}

}  // namespace

Color color_of_share(double share) {
  static const std::array<Color, kSteps> colors = even_colors();
  return colors[static_cast<size_t>(std::lround(std::clamp(share, 0.0, 1.0) * (kSteps - 1)))];
}

double luminance(const Color& color) {
  return 0.2126 * linear_of(color.red) + 0.7152 * linear_of(color.green) +
         0.0722 * linear_of(color.blue);
}

Color text_color_on(const Color& background) {
  // WCAG: (lighter + 0.05) / (darker + 0.05); black and white give the same at 0.179.
  return luminance(background) > 0.179 ? Color{0.08, 0.08, 0.1} : Color{1, 1, 1};
}

}  // namespace heed
