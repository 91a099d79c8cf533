#include "heed/tasks/image/set_loss.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "heed/tasks/image/assignment.h"
#include "heed/tasks/image/boxes.h"

namespace heed::tasks {
namespace {

// A cost that is no number belongs to a training that has failed, which the loss tells.
constexpr double kWorstCost = 1e6;

// Sums of half precision would lose what is small beside what is large.
at::Tensor wide(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}

// (n, Q) in double precision on the CPU.
at::Tensor pairing_costs(const models::FoundBoxes& found, int64_t index, const RealBoxes& real,
                         const SetLossOptions& options) {
  const at::NoGradGuard no_grad;
  const at::Tensor probabilities = at::softmax(wide(found.logits[index]), -1);  // (Q, C+1)
  const at::Tensor boxes = wide(found.boxes[index]).unsqueeze(0);               // (1, Q, 4)
  const at::Tensor wanted = real.boxes.to(boxes.device()).unsqueeze(1);         // (n, 1, 4)
  const at::Tensor costs = -probabilities.index_select(1, real.classes.to(boxes.device())).t() +
                           options.bbox_loss_coefficient * (wanted - boxes).abs().sum(-1) -
                           options.giou_loss_coefficient * generalized_box_iou(boxes, wanted);
  return costs.nan_to_num(kWorstCost, kWorstCost, -kWorstCost).to(at::kCPU, at::kDouble);
}

}  // namespace

std::vector<std::pair<int64_t, int64_t>> matched_pairs(const models::FoundBoxes& found,
                                                       int64_t index, const RealBoxes& real,
                                                       const SetLossOptions& options) {
  std::vector<std::pair<int64_t, int64_t>> pairs;
  at::Tensor costs = pairing_costs(found, index, real, options);
  const bool is_crowded = costs.size(0) > costs.size(1);  // then some objects go without a query
  if (is_crowded) costs = costs.t();
  costs = costs.contiguous();
  const auto* first = costs.const_data_ptr<double>();
  const std::vector<int64_t> columns =
      cheapest_assignment({first, first + costs.numel()}, costs.size(0), costs.size(1));
  for (size_t row = 0; row < columns.size(); ++row) {
    const auto number = static_cast<int64_t>(row);
    pairs.emplace_back(is_crowded ? columns[row] : number, is_crowded ? number : columns[row]);
  }
  return pairs;
}

at::Tensor set_loss(const models::FoundBoxes& found, const std::vector<RealBoxes>& real,
                    const SetLossOptions& options) {
  const int64_t queries = found.logits.size(1);
  const int64_t no_object = found.logits.size(2) - 1;
  const at::Device device = found.logits.device();
  std::vector<int64_t> classes(real.size() * static_cast<size_t>(queries), no_object);
  std::vector<int64_t> paired;         // queries of the batch
  std::vector<at::Tensor> boxes = {};  // of the objects that they are paired with
  int64_t count = 0;
  for (size_t b = 0; b < real.size(); ++b) {
    const RealBoxes& picture = real[b];
    if (picture.classes.numel() == 0) continue;
    count += picture.classes.numel();
    const auto first = static_cast<int64_t>(b) * queries;
    for (const auto& [object, query] :
         matched_pairs(found, static_cast<int64_t>(b), picture, options)) {
      paired.push_back(first + query);
      classes[static_cast<size_t>(first + query)] = picture.classes[object].item<int64_t>();
      boxes.push_back(picture.boxes[object]);
    }
  }
  const at::Tensor logits = wide(found.logits.flatten(0, 1));
  at::Tensor weights = at::ones({no_object + 1}, logits.options());
  weights[no_object] = options.eos_coefficient;
  const at::Tensor class_term =
      at::cross_entropy_loss(logits, at::tensor(classes).to(device), weights);
  if (paired.empty()) return class_term;
  const at::Tensor chosen =
      wide(found.boxes.flatten(0, 1)).index_select(0, at::tensor(paired).to(device));
  const at::Tensor wanted = at::stack(boxes).to(device);
  const at::Tensor box_terms =
      options.bbox_loss_coefficient * (chosen - wanted).abs().sum() +
      options.giou_loss_coefficient * (1 - generalized_box_iou(chosen, wanted)).sum();
  return class_term + box_terms / static_cast<double>(count);
}

}  // namespace heed::tasks
