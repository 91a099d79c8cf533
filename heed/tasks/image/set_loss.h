// The loss of a set of objects: each real object is paired with the one of the found ones that
// suits it best, so that no order of them matters and none is to be found twice.
//   Carion et al. 2020, "End-to-End Object Detection with Transformers" (DETR), section 3.1
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "heed/models/object_detector.h"
#include "heed/nn/fields.h"

namespace heed::tasks {

struct SetLossOptions {
  double eos_coefficient = 0.1;      // what "no object" counts as a class
  double bbox_loss_coefficient = 5;  // of the L1 distance of paired boxes
  double giou_loss_coefficient = 2;  // of 1 − their generalised overlap
};

template <nn::OptionsOf<SetLossOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  const auto loss = [](const char* name, const char* help) {
    return nn::Field{.name = name, .help = help, .most = 1000, .group = "Loss"};
  };
  visit(
      nn::Field{
          .name = "eos_coefficient",
          .help =
              "Weight in the loss of a query that has no object; one that has an object counts 1",
          .most = 1,
          .above = true,
          .group = "Loss"},
      o.eos_coefficient);
  visit(loss("bbox_loss_coefficient", "Weight in the loss of the L1 distance of the boxes"),
        o.bbox_loss_coefficient);
  visit(loss("giou_loss_coefficient", "Weight in the loss of the generalised overlap of the boxes"),
        o.giou_loss_coefficient);
}

// The objects of one picture.
struct RealBoxes {
  at::Tensor classes;  // (n) int64
  at::Tensor boxes;    // (n, 4) float32: centre and size, as shares of the picture
};

// Which real objects (first) and queries (second) belong together in picture `index` of the batch:
// min(n, Q) pairs, the cheapest by −probability of the class and the box terms of the loss.
std::vector<std::pair<int64_t, int64_t>> matched_pairs(const models::FoundBoxes& found,
                                                       int64_t index, const RealBoxes& real,
                                                       const SetLossOptions& options);

// Scalar: weighted cross entropy of all queries, their class or "no object", and of the pairs L1
// and generalised overlap, summed and divided by the number of real objects, at least 1.
at::Tensor set_loss(const models::FoundBoxes& found, const std::vector<RealBoxes>& real,
                    const SetLossOptions& options);

}  // namespace heed::tasks
