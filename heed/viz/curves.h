// Training curves: loss, accuracy and the like against the step or the epoch, as PNG or SVG.
#pragma once

#include <string>
#include <vector>

namespace heed {

// One line. A point whose x or y is not finite breaks the line there.
struct Curve {
  std::string name = {};       // in the legend
  std::vector<double> x = {};  // step or epoch
  std::vector<double> y = {};  // as many as x
};

// One pair of axes. Several panels stand below each other over the same kind of x: usually the loss
// in one and the metric in the other.
struct CurvePanel {
  std::string y_axis = {};  // "loss"
  std::vector<Curve> curves = {};
};

struct CurveChart {
  std::string title = {};
  std::string x_axis = "epoch";
  std::vector<CurvePanel> panels = {};
};

struct CurveOptions {
  double width = 640;   // of the picture, points
  double height = 260;  // of each panel, points
  double scale = 2.0;   // pixels a point in a PNG
};

// Draws to `path` and returns what whoever asked for it should know (Canvas::notes). `path` must
// end in .png, .svg or .pdf; written to a temporary file and renamed. The same input gives the same
// bytes. Errors: UsageError for no panel, x and y of different lengths, a chart without one finite
// point, or another file extension; IoError if the file cannot be written.
std::vector<std::string> write_curves(const CurveChart& chart, const std::string& path,
                                      const CurveOptions& options = {});

// The same as the text of an SVG.
std::string curves_svg(const CurveChart& chart, const CurveOptions& options = {});

}  // namespace heed
