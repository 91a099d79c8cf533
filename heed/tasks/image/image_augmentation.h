// Pictures moved a little, so that a model learns what they show and not where.
#pragma once

#include <ATen/core/Tensor.h>

#include "heed/nn/fields.h"

namespace heed::tasks {

struct AugmentationOptions {
  double max_shift = 2;      // pixels, to all sides
  double max_rotation = 10;  // degrees, both ways
  double max_scale = 0.1;    // share by which a picture grows or shrinks
  bool flip = false;         // half of the pictures are mirrored, left and right

  bool any() const { return max_shift > 0 || max_rotation > 0 || max_scale > 0 || flip; }
};

template <nn::OptionsOf<AugmentationOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  const auto augmentation = [](const char* name, const char* help, double most) {
    return nn::Field{.name = name, .help = help, .most = most, .group = "Augmentation"};
  };
  visit(augmentation("max_shift", "Pixels by which training moves a picture, at most", 1e6),
        o.max_shift);
  visit(augmentation("max_rotation", "Degrees by which training turns a picture, at most", 180),
        o.max_rotation);
  visit(augmentation("max_scale", "Share by which training makes a picture larger or smaller", 0.9),
        o.max_scale);
  visit(nn::Field{.name = "flip",
                  .help = "Training mirrors half of the pictures, left and right",
                  .group = "Augmentation"},
        o.flip);
}

// Of pictures (B, channels, height, width), by numbers that torch's default generator draws evenly:
// (B, 2, 3), from where in the old picture each place of the new one is taken, x' = m[0] · (x, y,
// 1) and y' = m[1] · (x, y, 1), where both sides of a picture go from −1 to 1.
at::Tensor drawn_moves(at::IntArrayRef sizes, const AugmentationOptions& options);

// The pictures, moved so. Between pixels it is a straight line; beyond the edges, the edge goes on.
at::Tensor moved_pictures(const at::Tensor& images, const at::Tensor& moves);

// Both: each picture moved, turned and scaled by numbers of its own.
at::Tensor augmented(const at::Tensor& images, const AugmentationOptions& options);

}  // namespace heed::tasks
