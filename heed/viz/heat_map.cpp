#include "heed/viz/heat_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "heed/base/error.h"
#include "heed/io/utf8.h"
#include "heed/viz/drawing/color_map.h"
#include "heed/viz/drawing/fonts.h"
#include "heed/viz/drawing/ticks.h"
#include "heed/viz/heat_map_layout.h"

namespace heed {
namespace {

constexpr double kGappedCell = 10;    // cells of this size stand apart by a hairline
constexpr double kNumberedCell = 26;  // and of this size hold their value

struct Range {
  double low, high;
  double share(double value) const { return (value - low) / (high - low); }
};

Color color_of(float value, const Range& range) {
  return std::isfinite(value) ? color_of_share(range.share(value)) : kNotFiniteColor;
}

std::string name_of(const HeatMapGrid& grid, size_t map) {
  const std::string& title = grid.maps[map].title.empty() ? grid.title : grid.maps[map].title;
  return "heat map " + excerpt(title);
}

void check_map(const HeatMap& map, const std::string& name) {
  check_usage(map.rows > 0 && map.columns > 0, name,
              ": a matrix of at least 1 × 1 was expected, not ", map.rows, " × ", map.columns);
  check_usage(map.rows <= kMaxHeatMapSide && map.columns <= kMaxHeatMapSide, name, ": ", map.rows,
              " × ", map.columns, " values are too many to see; at most ", kMaxHeatMapSide,
              " a side can be drawn: average blocks of them first");
  check_usage(map.values.size() == static_cast<size_t>(map.rows * map.columns), name, ": ",
              map.rows, " × ", map.columns, " needs ", map.rows * map.columns, " values, not ",
              map.values.size());
  const auto check_labels = [&](const std::vector<std::string>& labels, int64_t count,
                                const char* side) {
    check_usage(labels.empty() || labels.size() == static_cast<size_t>(count), name, ": ", count,
                " ", side, " need ", count, " labels (or none), not ", labels.size());
  };
  check_labels(map.row_labels, map.rows, "rows");
  check_labels(map.column_labels, map.columns, "columns");
}

Range range_of(const HeatMapGrid& grid, const HeatMapOptions& options) {
  double low = 0, high = -INFINITY;
  for (const HeatMap& map : grid.maps) {
    for (const float value : map.values) {
      if (!std::isfinite(value)) continue;
      low = std::min(low, static_cast<double>(value));
      high = std::max(high, static_cast<double>(value));
    }
  }
  Range range{options.low.value_or(low), options.high.value_or(high)};
  check_usage(!(options.low && options.high) || *options.low < *options.high,
              "the colours of a heat map go from low to a larger high, not from ", range.low,
              " to ", range.high);
  if (!(range.high > range.low)) range.high = range.low + 1;  // all zeros, or nothing finite
  return range;
}

void draw_cells(Canvas& canvas, const HeatMap& map, const PanelLayout& panel, const Range& range) {
  const double width = panel.cell_width, height = panel.cell_height;
  // One shape for all cells of a colour keeps an SVG small.
  std::array<std::vector<Box>, 257> boxes;
  for (int64_t row = 0; row < map.rows; ++row) {
    for (int64_t column = 0; column < map.columns; ++column) {
      const float value = map.values[static_cast<size_t>(row * map.columns + column)];
      const double share = std::clamp(range.share(value), 0.0, 1.0);
      const size_t color =
          std::isfinite(value) ? static_cast<size_t>(std::lround(share * 255)) : 256;
      boxes[color].push_back({panel.plot.x + static_cast<double>(column) * width,
                              panel.plot.y + static_cast<double>(row) * height, width - 1,
                              height - 1});
    }
  }
  for (size_t color = 0; color < 256; ++color) {
    if (!boxes[color].empty()) {
      canvas.fill(boxes[color], color_of_share(static_cast<double>(color) / 255));
    }
  }
  canvas.fill(boxes[256], kNotFiniteColor);
  for (const Box& box : boxes[256]) {  // a cross as well: not by colour alone
    const double inset = box.width * 0.3;
    const double right = box.x + box.width - inset, bottom = box.y + box.height - inset;
    canvas.line({{box.x + inset, box.y + inset}, {right, bottom}}, {1, 1, 1}, 1.2);
    canvas.line({{right, box.y + inset}, {box.x + inset, bottom}}, {1, 1, 1}, 1.2);
  }
}

void draw_image(Canvas& canvas, const HeatMap& map, const PanelLayout& panel, const Range& range) {
  std::vector<Color> colors;
  colors.reserve(map.values.size());
  for (const float value : map.values) colors.push_back(color_of(value, range));
  canvas.image(panel.plot, map.rows, map.columns, colors);
}

// ".42": two digits say enough, and a weight is below 1.
std::string number_of(float value) {
  char buffer[32];
  const bool tenths = std::abs(value) >= 9.95F;
  std::snprintf(buffer, sizeof buffer, tenths ? "%.0f" : "%.2f", static_cast<double>(value));
  std::string text = buffer;
  if (text == "0.00" || text == "-0.00") return "0";
  if (text == "1.00") return "1";
  const size_t zero = text.find("0.");
  if (zero == 0 || text.starts_with("-0.")) text.erase(zero, 1);
  return text;
}

void draw_numbers(Canvas& canvas, const HeatMap& map, const PanelLayout& panel,
                  const Range& range) {
  const Font font{.size = std::min(9.0, panel.cell_width * 0.3)};
  for (int64_t row = 0; row < map.rows; ++row) {
    for (int64_t column = 0; column < map.columns; ++column) {
      const float value = map.values[static_cast<size_t>(row * map.columns + column)];
      if (!std::isfinite(value)) continue;
      const double x = panel.plot.x + (static_cast<double>(column) + 0.5) * panel.cell_width - 0.5;
      const double y = panel.plot.y + (static_cast<double>(row) + 0.5) * panel.cell_height - 0.5;
      canvas.text(
          x, y, number_of(value),
          {.font = font, .color = text_color_on(color_of(value, range)), .align = Align::kCenter});
    }
  }
}

void draw_labels(Canvas& canvas, const PanelLayout& panel) {
  for (size_t i = 0; i < panel.rows.texts.size(); ++i) {
    if (panel.rows.texts[i].empty()) continue;
    const double y = panel.plot.y + (static_cast<double>(i) + 0.5) * panel.cell_height;
    canvas.text(panel.plot.x - 5, y, panel.rows.texts[i],
                {.font = panel.rows.font, .align = Align::kRight});
  }
  const bool level = panel.columns.angle == 0;
  for (size_t i = 0; i < panel.columns.texts.size(); ++i) {
    if (panel.columns.texts[i].empty()) continue;
    const double x = panel.plot.x + (static_cast<double>(i) + 0.5) * panel.cell_width;
    const double lift = level ? 5 + panel.columns.font.size * 0.4 : 5;
    canvas.text(x, panel.plot.y - lift, panel.columns.texts[i],
                {.font = panel.columns.font,
                 .align = level ? Align::kCenter : Align::kLeft,
                 .angle = panel.columns.angle});
  }
}

void draw_panel(Canvas& canvas, const HeatMap& map, const PanelLayout& panel, const Range& range) {
  const double cell = std::min(panel.cell_width, panel.cell_height);
  if (cell >= kGappedCell) {
    draw_cells(canvas, map, panel, range);
  } else {
    // As one image: shapes that touch show seams between them where an SVG is scaled.
    draw_image(canvas, map, panel, range);
    canvas.outline(panel.plot, kFrameColor, 0.75);
  }
  if (cell >= kNumberedCell) draw_numbers(canvas, map, panel, range);
  draw_labels(canvas, panel);
  if (!map.title.empty()) {
    canvas.text(panel.plot.x, panel.plot.y - panel.columns.depth - panel.title_height, map.title,
                {.font = kPanelFont, .width = panel.title_width});
  }
}

void draw_color_bar(Canvas& canvas, const Box& bar, const Range& range, const Ticks& ticks) {
  const int steps = static_cast<int>(bar.height);
  for (int step = 0; step < steps; ++step) {  // each over the rest of the one before: no seams
    canvas.fill({{bar.x, bar.y + step, bar.width, bar.height - step}},
                color_of_share(1 - step / (bar.height - 1)));
  }
  canvas.outline(bar, kFrameColor, 0.75);
  for (size_t i = 0; i < ticks.values.size(); ++i) {
    const double y = bar.y + bar.height * (1 - range.share(ticks.values[i]));
    canvas.line({{bar.x + bar.width, y}, {bar.x + bar.width + 3, y}}, kSoftColor, 0.75);
    canvas.text(bar.x + bar.width + 6, y, ticks.labels[i],
                {.font = kTickFont, .color = kSoftColor});
  }
}

// One label in so many, of rows and of columns: the fewest of all panels.
std::pair<int64_t, int64_t> thinning_of(const GridLayout& layout) {
  std::pair<int64_t, int64_t> every{1, 1};
  for (const PanelLayout& panel : layout.panels) {
    every.first = std::max(every.first, panel.rows.every);
    every.second = std::max(every.second, panel.columns.every);
  }
  return every;
}

// Which labels are there: the first, and then one in so many.
std::string thinned(int64_t every) { return every > 1 ? text_of(" (1 label in ", every, ")") : ""; }

Picture draw(const HeatMapGrid& grid, PictureFormat format, const HeatMapOptions& options) {
  const Range range = range_of(grid, options);
  const Ticks ticks = nice_ticks(range.low, range.high, 4);
  double tick_width = 0;
  for (const std::string& label : ticks.labels) {
    tick_width = std::max(tick_width, text_width(label, kTickFont));
  }
  const GridLayout layout = layout_of(grid, options, tick_width);
  Canvas canvas(format, {layout.width, layout.height, options.scale}, grid.title);
  for (size_t i = 0; i < grid.maps.size(); ++i) {
    draw_panel(canvas, grid.maps[i], layout.panels[i], range);
  }
  draw_color_bar(canvas, layout.color_bar, range, ticks);
  const Box& plots = layout.plots;
  const auto [rows_every, columns_every] = thinning_of(layout);
  if (!grid.title.empty()) {
    canvas.text(layout.title.x, layout.title.y, grid.title,
                {.font = kTitleFont, .width = layout.title.width});
  }
  if (!options.column_axis.empty()) {
    canvas.text(plots.x, layout.column_axis_y, options.column_axis + " →" + thinned(columns_every),
                {.font = kAxisFont, .color = kSoftColor});
  }
  if (!options.row_axis.empty()) {
    canvas.text(
        layout.row_axis_x, plots.y, "← " + options.row_axis + thinned(rows_every),
        {.font = kAxisFont, .color = kSoftColor, .align = Align::kRight, .angle = -M_PI / 2});
  }
  Picture picture = picture_of(canvas);
  if (std::max(rows_every, columns_every) > 1) {
    picture.notes.push_back(text_of("there is no room for all labels: of rows 1 in ", rows_every,
                                    " is drawn, of columns 1 in ", columns_every));
  }
  return picture;
}

void check_grid(const HeatMapGrid& grid) {
  check_usage(!grid.maps.empty(), "heat map ", excerpt(grid.title),
              ": a grid needs at least one matrix");
  check_usage(grid.columns >= 1, "heat map ", excerpt(grid.title),
              ": a grid has at least 1 column, not ", grid.columns);
  for (size_t i = 0; i < grid.maps.size(); ++i) check_map(grid.maps[i], name_of(grid, i));
}

// One matrix alone, its title above the whole picture.
HeatMapGrid grid_of(const HeatMap& map) {
  HeatMapGrid grid{.title = map.title, .columns = 1, .maps = {map}};
  grid.maps.front().title.clear();
  return grid;
}

}  // namespace

std::vector<std::string> write_heat_map_grid(const HeatMapGrid& grid, const std::string& path,
                                             const HeatMapOptions& options) {
  const PictureFormat format = picture_format(path);
  check_grid(grid);
  return write_picture(path, draw(grid, format, options));
}

std::vector<std::string> write_heat_map(const HeatMap& map, const std::string& path,
                                        const HeatMapOptions& options) {
  return write_heat_map_grid(grid_of(map), path, options);
}

std::string heat_map_svg(const HeatMap& map, const HeatMapOptions& options) {
  const HeatMapGrid grid = grid_of(map);
  check_grid(grid);
  return draw(grid, PictureFormat::kSvg, options).bytes;
}

}  // namespace heed
