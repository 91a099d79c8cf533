#include "heed/viz/heat_map_layout.h"

#include <algorithm>
#include <cmath>

#include "heed/viz/drawing/fonts.h"

namespace heed {
namespace {

constexpr double kLayoutMargin = 16;
constexpr double kLabelGap = 5;      // between a label and its row or column
constexpr double kLongest = 120;     // of a label; longer ones end in "…"
constexpr double kLabelled = 8;      // a cell of this size has room for its label
constexpr double kNarrowTitle = 96;  // narrower than this no title is wrapped
constexpr double kPanelGap = 16;
constexpr double kBarWidth = 11, kBarGap = 20, kBarHeight = 180, kSmallestBar = 72;
constexpr double kSmallestPage = 160;  // of a page with a title, without its margins
constexpr double kOneGrid = 1000;      // a grid of panels is about so wide

size_t index(int64_t i) { return static_cast<size_t>(i); }

// The side of a cell: wide for a sentence, narrower the more tokens there are, whole points as long
// as that is possible so that every cell has the same number of pixels.
double cell_side(int64_t tokens, double room) {
  const auto count = static_cast<double>(tokens);
  const double own =
      std::min(std::max(512 + 2.5 * std::max(0.0, count - 16), kLabelled * count), 1000.0);
  const double side = std::min(own, room) / count;
  return side >= 1 ? std::clamp(std::floor(side), 1.0, 32.0) : 0.5;
}

// Square cells; the short side of a very long matrix (one query, many keys) may grow to be seen.
void set_cells(PanelLayout& panel, const HeatMap& map, double room) {
  const double side = cell_side(std::max(map.rows, map.columns), room);
  const auto grown = [&](int64_t tokens) {
    return std::clamp(std::floor(room / static_cast<double>(tokens)), side, std::max(side, 14.0));
  };
  panel.cell_width = map.columns * 4 < map.rows ? grown(map.columns) : side;
  panel.cell_height = map.rows * 4 < map.columns ? grown(map.rows) : side;
  panel.plot.width = panel.cell_width * static_cast<double>(map.columns);
  panel.plot.height = panel.cell_height * static_cast<double>(map.rows);
}

LabelLayout labels_of(const std::vector<std::string>& labels, double cell) {
  LabelLayout layout;
  layout.drawn = true;
  layout.font.size = std::clamp(std::floor(cell * 1.2) / 2, 6.5, 10.5);
  layout.every = static_cast<int64_t>(std::ceil((layout.font.size + 1.5) / cell));
  layout.texts.resize(labels.size());
  for (size_t i = 0; i < labels.size(); i += index(layout.every)) {
    layout.texts[i] = ellipsised(labels[i], kLongest, layout.font);
  }
  return layout;
}

double widest_of(const LabelLayout& layout) {
  double widest = 0;
  for (const std::string& text : layout.texts) {
    if (!text.empty()) widest = std::max(widest, text_width(text, layout.font));
  }
  return widest;
}

LabelLayout row_labels_of(const HeatMap& map, double cell) {
  LabelLayout layout = labels_of(map.row_labels, cell);
  layout.depth = widest_of(layout) + kLabelGap;
  return layout;
}

// Level where every word is narrower than its column, slanted where there is room for that, and
// upright else.
LabelLayout column_labels_of(const HeatMap& map, double cell) {
  LabelLayout layout = labels_of(map.column_labels, cell);
  const double widest = widest_of(layout);
  const double size = layout.font.size;
  if (widest <= cell - 4) {
    layout.depth = size + kLabelGap;
    return layout;
  }
  layout.angle = cell >= 14 ? -M_PI / 4 : -M_PI / 2;
  layout.depth = widest * std::sin(-layout.angle) + size * 0.4 * std::cos(layout.angle) + kLabelGap;
  for (size_t i = 0; i < layout.texts.size(); ++i) {
    if (layout.texts[i].empty()) continue;
    const double reach = text_width(layout.texts[i], layout.font) * std::cos(layout.angle) + size;
    const double to_end = (static_cast<double>(layout.texts.size() - i) - 0.5) * cell;
    layout.overhang = std::max(layout.overhang, reach - to_end);
  }
  return layout;
}

// Adds up the places of the grid's columns (or rows): each has a gutter for labels and room for the
// largest of its plots.
struct Track {
  std::vector<double> gutter, room;
  double place(size_t track, double start) const {
    for (size_t i = 0; i < track; ++i) start += gutter[i] + room[i] + kPanelGap;
    return start + gutter[track];
  }
  double end(double start) const { return place(room.size() - 1, start) + room.back(); }
};

// The columns and rows of a grid, and how far the labels of its last column reach beyond it.
struct Tracks {
  Track columns, rows;
  double overhang = 0;
};

// Labels that the panel beside it, or above it, has too stand there only.
void set_panel(PanelLayout& panel, const HeatMapGrid& grid, int64_t i, int64_t across,
               double room) {
  const HeatMap& map = grid.maps[index(i)];
  set_cells(panel, map, room);
  if (!map.row_labels.empty() &&
      (i % across == 0 || map.row_labels != grid.maps[index(i - 1)].row_labels)) {
    panel.rows = row_labels_of(map, panel.cell_height);
  }
  if (!map.column_labels.empty() &&
      (i < across || map.column_labels != grid.maps[index(i - across)].column_labels)) {
    panel.columns = column_labels_of(map, panel.cell_width);
  }
  if (!map.title.empty()) {
    const double own = text_width(map.title, kPanelFont) + 1;
    panel.title_width = std::min(own, std::max(panel.plot.width, kNarrowTitle));
    panel.title_height = text_height(map.title, kPanelFont, panel.title_width) + 4;
  }
}

Tracks tracks_of(const std::vector<PanelLayout>& panels, int64_t across, int64_t down) {
  const auto track = [](int64_t count) {
    return Track{std::vector<double>(index(count)), std::vector<double>(index(count))};
  };
  Tracks tracks{.columns = track(across), .rows = track(down)};
  for (int64_t i = 0; i < std::ssize(panels); ++i) {
    const PanelLayout& panel = panels[index(i)];
    const size_t column = index(i % across), row = index(i / across);
    const auto raise = [](double& value, double to) { value = std::max(value, to); };
    raise(tracks.columns.gutter[column], panel.rows.depth);
    raise(tracks.columns.room[column], std::max(panel.plot.width, panel.title_width));
    raise(tracks.rows.gutter[row], panel.columns.depth + panel.title_height);
    raise(tracks.rows.room[row], panel.plot.height);
    if (column + 1 == index(across)) raise(tracks.overhang, panel.columns.overhang);
  }
  return tracks;
}

}  // namespace

GridLayout layout_of(const HeatMapGrid& grid, const HeatMapOptions& options,
                     double color_bar_label_width) {
  const auto count = static_cast<int64_t>(grid.maps.size());
  const int64_t across = std::min(grid.columns, count);
  const int64_t down = (count + across - 1) / across;
  const double room =
      across == 1 ? kOneGrid : std::max(kOneGrid / static_cast<double>(across) - kPanelGap, 96.0);

  GridLayout layout;
  layout.panels.resize(grid.maps.size());
  for (int64_t i = 0; i < count; ++i) {
    set_panel(layout.panels[index(i)], grid, i, across, room);
  }
  const Tracks tracks = tracks_of(layout.panels, across, down);

  const double left = kLayoutMargin + (options.row_axis.empty() ? 0 : kAxisFont.size * 1.7);
  // What stands beside each other decides the width of the page, and that how the title wraps.
  const double plots_left = std::ceil(tracks.columns.place(0, left));
  const double plots_right = std::ceil(tracks.columns.end(left));
  const double bar_x = plots_right + kBarGap;
  const double right =
      std::max({bar_x + kBarWidth + 7 + color_bar_label_width, plots_right + tracks.overhang,
                kLayoutMargin + (grid.title.empty() ? 0 : kSmallestPage)});
  layout.width = right + kLayoutMargin;
  double top = kLayoutMargin;
  if (!grid.title.empty()) {
    layout.title = {kLayoutMargin, top, right - kLayoutMargin, 0};
    layout.title.height = text_height(grid.title, kTitleFont, layout.title.width);
    top += layout.title.height + kTitleFont.size * 0.6;
  }
  if (!options.column_axis.empty()) {
    layout.column_axis_y = top + kAxisFont.size / 2;
    top += kAxisFont.size * 1.7;
  }
  layout.row_axis_x = kLayoutMargin + kAxisFont.size / 2;
  for (int64_t i = 0; i < count; ++i) {
    Box& plot = layout.panels[index(i)].plot;
    plot.x = std::ceil(tracks.columns.place(index(i % across), left));
    plot.y = std::ceil(tracks.rows.place(index(i / across), top));
  }

  const Box& first = layout.panels.front().plot;
  layout.plots = {plots_left, first.y, plots_right - plots_left,
                  std::ceil(tracks.rows.end(top)) - first.y};
  layout.color_bar = {bar_x, first.y, kBarWidth,
                      std::clamp(layout.plots.height, kSmallestBar, kBarHeight)};
  layout.height =
      std::max(first.y + layout.plots.height, layout.color_bar.y + layout.color_bar.height) +
      kLayoutMargin;
  return layout;
}

}  // namespace heed
