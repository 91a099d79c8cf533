// Heat maps of attention weights: one matrix, or a grid of them (heads × layers), as PNG, SVG or
// PDF.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace heed {

// One matrix of weights. Queries go down, keys go right, as in the papers. Labels are UTF-8; bytes
// that are not, and control characters, are drawn as U+FFFD and symbols, so any token may be shown.
struct HeatMap {
  std::string title = {};
  std::vector<std::string> row_labels = {};     // `rows` of them, or none
  std::vector<std::string> column_labels = {};  // `columns` of them, or none
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<float> values = {};  // (rows, columns), row-major; what is not finite is orange
};

struct HeatMapOptions {
  // The values at the two ends of the colour bar; values outside take the colour of the end.
  // Default: from 0 (or the smallest value, if that is negative) to the largest finite value.
  std::optional<double> low = {};
  std::optional<double> high = {};
  std::string row_axis = "query";  // what rows and columns are; "" draws no name
  std::string column_axis = "key";
  double scale = 2.0;  // pixels a point in a PNG; an SVG has no pixels
};

// Several matrices with one scale of colours, `columns` beside each other. Labels that a map shares
// with the one left of it or above it are drawn once.
struct HeatMapGrid {
  std::string title = {};
  int64_t columns = 1;
  std::vector<HeatMap> maps = {};
};

// Draws to `path`, which must end in .png, .svg or .pdf, and returns what whoever asked for it
// should know: labels that were left out for want of room, letters that no font here has. Written
// to a temporary file first and renamed, so a reader never sees half a picture. The same input
// gives the same bytes. Errors: UsageError for an empty matrix, counts that do not match, another
// file extension, or a matrix beyond kMaxHeatMapSide on a side; IoError if the file cannot be
// written.
std::vector<std::string> write_heat_map(const HeatMap& map, const std::string& path,
                                        const HeatMapOptions& options = {});
std::vector<std::string> write_heat_map_grid(const HeatMapGrid& grid, const std::string& path,
                                             const HeatMapOptions& options = {});

// The same as write_heat_map as the text of an SVG.
std::string heat_map_svg(const HeatMap& map, const HeatMapOptions& options = {});

// More tokens than this on one side cannot be told apart in a picture: average blocks first.
inline constexpr int64_t kMaxHeatMapSide = 4096;

}  // namespace heed
