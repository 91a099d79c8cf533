// A picture, and beside it the same with weights laid over it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/viz/drawing/color_map.h"

namespace heed {

struct PictureOverlay {
  std::string title = {};
  int64_t height = 0;  // of the picture, pixels
  int64_t width = 0;
  std::vector<Color> pixels = {};  // (height, width)
  // A rectangle around something, in pixels from the left and the top, and what stands above it.
  struct Frame {
    double x = 0;
    double y = 0;
    double width = 0;
    double height = 0;
    std::string label = {};
  };
  std::vector<Frame> frames = {};  // on the picture itself
  // Weights of a grid that is stretched over the picture; each shows its own largest one darkest.
  struct Layer {
    std::string title = {};
    int64_t rows = 0;
    int64_t columns = 0;
    double covered_height = 0;  // pixels that the grid covers, which may be more than there are
    double covered_width = 0;
    std::vector<float> values = {};  // (rows, columns)
    std::vector<Frame> frames = {};
  };
  std::vector<Layer> layers = {};
};

// Draws to `path`, which must end in .png, .svg or .pdf, and returns what whoever asked for it
// should know. Written to a temporary file first and renamed. Errors: UsageError for an empty
// picture, counts that do not match and another file extension; IoError if the file cannot be
// written.
std::vector<std::string> write_picture_overlay(const PictureOverlay& overlay,
                                               const std::string& path);

}  // namespace heed
