#include "heed/viz/node_star.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/viz/drawing/canvas.h"
#include "heed/viz/drawing/fonts.h"

namespace heed {
namespace {

constexpr double kRadius = 110;  // points, from the node to its neighbours
constexpr double kStarMargin = 14;
constexpr double kLabelWidth = 110;
constexpr double kStarTitleHeight = 18;
constexpr double kDot = 4;
constexpr Color kPaper{1, 1, 1};
constexpr Font kLabelFont{.size = 9};

void check(const NodeStar& star) {
  check_usage(!star.layers.empty(), "a star of a node: expected at least one layer");
  for (const NodeStar::Layer& layer : star.layers) {
    check_usage(layer.weights.size() == star.neighbours.size(), "a star of a node: expected ",
                star.neighbours.size(), " weights, got ", layer.weights.size());
  }
}

// Those that are drawn, the same in all panels: with the largest weights of all layers together.
std::vector<size_t> shown_of(const NodeStar& star) {
  std::vector<float> sums(star.neighbours.size(), 0);
  for (const NodeStar::Layer& layer : star.layers) {
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += layer.weights[i];
  }
  std::vector<size_t> order(sums.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::erase_if(order, [&](size_t i) { return star.neighbours[i] == star.node; });
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return sums[a] > sums[b]; });
  order.resize(std::min(order.size(), kMostNeighbours));
  return order;
}

std::string label_of(const std::string& name, float weight) {
  return ellipsised(name, kLabelWidth - 28, kLabelFont) +
         formatted("  %.2f", static_cast<double>(weight));
}

void draw_panel(Canvas& canvas, const NodeStar& star, const NodeStar::Layer& layer,
                const std::vector<size_t>& shown, const Box& box) {
  const double x = box.x + box.width / 2;
  const double y = box.y + box.height / 2;
  float largest = 0;
  for (const float weight : layer.weights) largest = std::max(largest, weight);
  const auto share = [&](float weight) {
    return largest > 0 ? static_cast<double>(weight / largest) : 0.0;
  };
  canvas.text(box.x + kStarMargin, box.y + kStarTitleHeight / 2, layer.title, {.font = kPanelFont});
  for (size_t i = 0; i < shown.size(); ++i) {
    const float weight = layer.weights[shown[i]];
    const double angle = 2 * M_PI * static_cast<double>(i) / static_cast<double>(shown.size());
    const double right = std::sin(angle), up = std::cos(angle);
    const double end_x = x + kRadius * right, end_y = y - kRadius * up;
    const Color color = color_of_share(0.15 + 0.85 * share(weight));
    canvas.line({{x, y}, {end_x, end_y}}, color, 0.6 + 5 * share(weight));
    canvas.dot(end_x, end_y, kDot, color);
    const Align align = right > 0.2 ? Align::kLeft : right < -0.2 ? Align::kRight : Align::kCenter;
    canvas.text(end_x + 7 * right, end_y - 11 * up, label_of(star.neighbours[shown[i]], weight),
                {.font = kLabelFont, .align = align});
  }
  canvas.dot(x, y, 1.6 * kDot, color_of_share(0.9));
  const auto self = std::find(star.neighbours.begin(), star.neighbours.end(), star.node);
  const std::string label =
      self == star.neighbours.end()
          ? star.node
          : label_of(star.node, layer.weights[static_cast<size_t>(self - star.neighbours.begin())]);
  const Font bold{.size = kLabelFont.size, .bold = true};
  const double width = text_width(label, bold) + 6;  // edges may go that way: a white ground for it
  canvas.fill({{x - width / 2, y + 8, width, 13}}, kPaper);
  canvas.text(x, y + 14, label, {.font = bold, .align = Align::kCenter});
}

}  // namespace

std::vector<std::string> write_node_star(const NodeStar& star, const std::string& path) {
  check(star);
  const std::vector<size_t> shown = shown_of(star);
  const double side = 2 * (kRadius + kLabelWidth);
  const double height = 2 * kRadius + 2 * kStarMargin + 3 * kStarTitleHeight;
  const double top = star.title.empty() ? kStarMargin : kStarMargin + kStarTitleHeight;
  Canvas canvas(picture_format(path),
                {.width = side * static_cast<double>(star.layers.size()), .height = top + height},
                star.title);
  if (!star.title.empty()) {
    canvas.text(kStarMargin, top / 2, ellipsised(star.title, side - kStarMargin, kTitleFont),
                {.font = kTitleFont});
  }
  for (size_t i = 0; i < star.layers.size(); ++i) {
    draw_panel(canvas, star, star.layers[i], shown,
               {side * static_cast<double>(i), top, side, height});
  }
  Picture picture = picture_of(canvas);
  const auto others =
      star.neighbours.size() -
      static_cast<size_t>(std::count(star.neighbours.begin(), star.neighbours.end(), star.node));
  if (others > shown.size()) {
    picture.notes.push_back(text_of("of ", others, " neighbours the ", shown.size(),
                                    " with the largest weights are drawn"));
  }
  return write_picture(path, picture);
}

}  // namespace heed
