#include "heed/viz/picture_overlay.h"

#include <algorithm>
#include <cmath>

#include "heed/base/error.h"
#include "heed/viz/drawing/canvas.h"
#include "heed/viz/drawing/fonts.h"

namespace heed {
namespace {

constexpr double kSide = 180;  // points, of the longer side of a picture
constexpr double kGap = 14;
constexpr double kTitleHeight = 18;
constexpr size_t kAcross = 4;
constexpr double kFrameWidth = 1.5;
constexpr double kFrameLabelHeight = 9;
constexpr Font kFrameLabelFont{.size = 8, .bold = true};
constexpr Color kFrameLine = kNotFiniteColor;  // which no weight has
constexpr double kCover = 0.65;                // how much of a colour is that of the weight

void check(const PictureOverlay& overlay) {
  check_usage(overlay.height > 0 && overlay.width > 0 &&
                  std::ssize(overlay.pixels) == overlay.height * overlay.width,
              "a picture of ", overlay.width, " × ", overlay.height, " needs as many pixels, got ",
              overlay.pixels.size());
  for (const PictureOverlay::Layer& layer : overlay.layers) {
    check_usage(layer.rows > 0 && layer.columns > 0 &&
                    std::ssize(layer.values) == layer.rows * layer.columns &&
                    layer.covered_height > 0 && layer.covered_width > 0,
                "a layer of ", layer.rows, " × ", layer.columns, " needs as many weights, got ",
                layer.values.size());
  }
}

Color mixed(const Color& under, const Color& over) {
  const auto mix = [](double a, double b) { return (1 - kCover) * a + kCover * b; };
  return {mix(under.red, over.red), mix(under.green, over.green), mix(under.blue, over.blue)};
}

// In `panel`, where the picture lies.
void draw_frames(Canvas& canvas, const Box& panel, const PictureOverlay& overlay,
                 const std::vector<PictureOverlay::Frame>& frames) {
  const double across = panel.width / static_cast<double>(overlay.width);
  const double down = panel.height / static_cast<double>(overlay.height);
  for (const PictureOverlay::Frame& frame : frames) {
    const Box box{panel.x + frame.x * across, panel.y + frame.y * down, frame.width * across,
                  frame.height * down};
    canvas.outline(box, kFrameLine, kFrameWidth);
    if (frame.label.empty()) continue;
    const double above = std::max(panel.y + kFrameLabelHeight / 2, box.y - kFrameLabelHeight / 2);
    canvas.text(box.x, above, frame.label, {.font = kFrameLabelFont, .color = kFrameLine});
  }
}

std::vector<Color> covered(const PictureOverlay& overlay, const PictureOverlay::Layer& layer) {
  const float largest = *std::max_element(layer.values.begin(), layer.values.end());
  const auto cell = [](int64_t pixel, double covered, int64_t count) {
    const double share = (static_cast<double>(pixel) + 0.5) / covered;
    return std::min(count - 1, static_cast<int64_t>(share * static_cast<double>(count)));
  };
  std::vector<Color> colors;
  colors.reserve(overlay.pixels.size());
  for (int64_t y = 0; y < overlay.height; ++y) {
    const int64_t row = cell(y, layer.covered_height, layer.rows);
    for (int64_t x = 0; x < overlay.width; ++x) {
      const int64_t column = cell(x, layer.covered_width, layer.columns);
      const float value = layer.values[static_cast<size_t>(row * layer.columns + column)];
      const Color weight = color_of_share(largest > 0 ? static_cast<double>(value / largest) : 0);
      colors.push_back(mixed(overlay.pixels[static_cast<size_t>(y * overlay.width + x)], weight));
    }
  }
  return colors;
}

}  // namespace

std::vector<std::string> write_picture_overlay(const PictureOverlay& overlay,
                                               const std::string& path) {
  check(overlay);
  const auto longer = static_cast<double>(std::max(overlay.height, overlay.width));
  const double width = std::max(1.0, kSide * static_cast<double>(overlay.width) / longer);
  const double height = std::max(1.0, kSide * static_cast<double>(overlay.height) / longer);
  const size_t panels = overlay.layers.size() + 1;
  const size_t across = std::min(panels, kAcross);
  const size_t down = (panels + across - 1) / across;
  const double column = std::max(width, kSide / 2) + kGap;
  const double row = height + kTitleHeight + kGap;
  const double top = overlay.title.empty() ? kGap : kGap + kTitleHeight;
  Canvas canvas(picture_format(path),
                {.width = kGap + column * static_cast<double>(across),
                 .height = top + row * static_cast<double>(down)},
                overlay.title);
  if (!overlay.title.empty()) {
    const double room = column * static_cast<double>(across) - kGap;
    canvas.text(kGap, kGap + kTitleHeight / 2, ellipsised(overlay.title, room, kTitleFont),
                {.font = kTitleFont});
  }
  for (size_t i = 0; i < panels; ++i) {
    const double x = kGap + column * static_cast<double>(i % across);
    const double y = top + row * static_cast<double>(i / across);
    const std::string title = i == 0 ? "picture" : overlay.layers[i - 1].title;
    canvas.text(x, y + kTitleHeight / 2, title, {.font = kPanelFont});
    const Box panel{x, y + kTitleHeight, width, height};
    canvas.image(panel, overlay.height, overlay.width,
                 i == 0 ? overlay.pixels : covered(overlay, overlay.layers[i - 1]));
    draw_frames(canvas, panel, overlay, i == 0 ? overlay.frames : overlay.layers[i - 1].frames);
  }
  return write_picture(path, picture_of(canvas));
}

}  // namespace heed
