// Boxes as tensors of shares: centre x, centre y, width and height, each over the width or the
// height of the picture.
#pragma once

#include <ATen/core/Tensor.h>

namespace heed::tasks {

// (…, 4) centre and size -> (…, 4) left, top, right, bottom; and the way back.
at::Tensor corners_of(const at::Tensor& boxes);
at::Tensor centred(const at::Tensor& corners);

// Generalised intersection over union of boxes a and b, centre and size, whose shapes (…, 4) are
// broadcast -> (…): the overlap, less the share of the smallest box around both that neither
// covers; from −1 to 1, with a gradient also where they do not meet.
//   Rezatofighi et al. 2019, "Generalized Intersection over Union", algorithm 1
at::Tensor generalized_box_iou(const at::Tensor& a, const at::Tensor& b);

// Where the boxes (n, 4) of a picture are once it has been moved by `move` (2, 3), see
// drawn_moves(): (n, 4), of a turned box the one around it, cut off at the edges of the picture;
// and (n) which of them are still in it, by at least `least` of their area.
struct MovedBoxes {
  at::Tensor boxes;
  at::Tensor remain;
};
MovedBoxes moved_boxes(const at::Tensor& boxes, const at::Tensor& move, double least = 0.4);

}  // namespace heed::tasks
