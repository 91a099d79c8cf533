// Where everything in a heat map stands. Lengths are in points.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/viz/drawing/canvas.h"
#include "heed/viz/heat_map.h"

namespace heed {

// Labels along one side of a matrix.
struct LabelLayout {
  bool drawn = false;
  Font font;
  double angle = 0;     // radians, clockwise
  double depth = 0;     // how far they reach away from the matrix
  double overhang = 0;  // how far the last one reaches past the matrix's end
  int64_t every = 1;    // thinned: one label in so many
  std::vector<std::string> texts;
};

struct PanelLayout {
  Box plot;  // the cells
  double cell_width = 0, cell_height = 0;
  double title_width = 0, title_height = 0;  // of its lines
  LabelLayout rows, columns;
};

struct GridLayout {
  double width = 0, height = 0;  // of the page
  Box color_bar;
  Box plots;  // around all panels' cells
  std::vector<PanelLayout> panels;
  Box title;
  double row_axis_x = 0, column_axis_y = 0;
};

GridLayout layout_of(const HeatMapGrid& grid, const HeatMapOptions& options,
                     double color_bar_label_width);

}  // namespace heed
