#include "heed/tasks/image/boxes.h"

#include <ATen/ATen.h>

namespace heed::tasks {
namespace {

constexpr double kSmallestArea = 1e-12;  // of what is divided by

at::Tensor area_of(const at::Tensor& sides) { return sides.select(-1, 0) * sides.select(-1, 1); }

}  // namespace

at::Tensor corners_of(const at::Tensor& boxes) {
  const at::Tensor centre = boxes.narrow(-1, 0, 2);
  const at::Tensor half = boxes.narrow(-1, 2, 2) / 2;
  return at::cat({centre - half, centre + half}, -1);
}

at::Tensor centred(const at::Tensor& corners) {
  const at::Tensor first = corners.narrow(-1, 0, 2);
  const at::Tensor last = corners.narrow(-1, 2, 2);
  return at::cat({(first + last) / 2, last - first}, -1);
}

at::Tensor generalized_box_iou(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor one = corners_of(a);
  const at::Tensor other = corners_of(b);
  const auto first = [](const at::Tensor& box) { return box.narrow(-1, 0, 2); };
  const auto last = [](const at::Tensor& box) { return box.narrow(-1, 2, 2); };
  const at::Tensor both = area_of(
      (at::minimum(last(one), last(other)) - at::maximum(first(one), first(other))).clamp_min(0));
  const at::Tensor either =
      area_of(last(one) - first(one)) + area_of(last(other) - first(other)) - both;
  const at::Tensor around =
      area_of(at::maximum(last(one), last(other)) - at::minimum(first(one), first(other)));
  return both / either.clamp_min(kSmallestArea) -
         (around - either) / around.clamp_min(kSmallestArea);
}

MovedBoxes moved_boxes(const at::Tensor& boxes, const at::Tensor& move, double least) {
  const at::Tensor turn = move.narrow(1, 0, 2).to(boxes.options());
  const at::Tensor shift = move.select(1, 2).to(boxes.options());
  // The four corners in the coordinates of the move: (n, 4, 2).
  const at::Tensor corners = corners_of(boxes) * 2 - 1;
  const at::Tensor x = corners.index_select(1, at::tensor({0, 2, 0, 2}));
  const at::Tensor y = corners.index_select(1, at::tensor({1, 1, 3, 3}));
  const at::Tensor old_places = at::stack({x, y}, -1) - shift;
  const at::Tensor places = (old_places.unsqueeze(-2) * at::linalg_inv(turn)).sum(-1);
  const at::Tensor around = at::cat({places.amin(1), places.amax(1)}, -1);
  const at::Tensor inside = around.clamp(-1, 1);
  const auto area = [](const at::Tensor& box) {
    return area_of(box.narrow(-1, 2, 2) - box.narrow(-1, 0, 2));
  };
  return {.boxes = centred((inside + 1) / 2),
          .remain = area(inside) >= least * area(around).clamp_min(kSmallestArea)};
}

}  // namespace heed::tasks
