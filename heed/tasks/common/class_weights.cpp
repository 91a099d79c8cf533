#include "heed/tasks/common/class_weights.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "heed/base/error.h"
#include "heed/data/memory.h"
#include "heed/ops/cross_entropy.h"

namespace heed::tasks {

std::vector<std::string> class_weight_names() { return {"none", "balanced"}; }

at::Tensor class_weights(const std::string& name, const std::vector<int64_t>& counts) {
  if (name == "none") return {};
  const auto all = static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0}));
  const auto classes = static_cast<double>(
      std::count_if(counts.begin(), counts.end(), [](int64_t count) { return count > 0; }));
  std::vector<float> weights;
  for (const int64_t count : counts) {
    const double weight = count > 0 ? all / (classes * static_cast<double>(count)) : 1;
    weights.push_back(static_cast<float>(weight));
  }
  return at::tensor(weights, at::kFloat);
}

Loss weighted_loss(const at::Tensor& losses, const at::Tensor& weights, int64_t tokens) {
  const at::Tensor sum = weights.sum();
  return {.value = (losses * weights).sum() / sum, .tokens = tokens, .weight = sum.item<double>()};
}

Loss class_loss(const at::Tensor& logits, const at::Tensor& targets, const at::Tensor& weights,
                double label_smoothing, int64_t tokens) {
  if (!weights.defined()) {
    return {.value = heed::cross_entropy(logits, targets, {.label_smoothing = label_smoothing}),
            .tokens = tokens,
            .weight = static_cast<double>(targets.size(0))};
  }
  const at::Tensor losses = heed::cross_entropy(
      logits, targets, {.label_smoothing = label_smoothing, .reduction = Reduction::kNone});
  return weighted_loss(losses, weights.to(targets.device()).index_select(0, targets), tokens);
}

void check_classes_fit(const std::string& classes, int64_t weights) {
  constexpr uint64_t kBytes = 4 * sizeof(float);
  data::check_fits(kBytes * static_cast<uint64_t>(weights), classes,
                   "expected fewer classes (is what is taken for one the right thing?) or a "
                   "smaller width of the model (--d-model)");
}

void check_logits_fit(int64_t examples, int64_t classes) {
  constexpr uint64_t kBytes = sizeof(float) + sizeof(double);
  data::check_fits(
      kBytes * static_cast<uint64_t>(examples) * static_cast<uint64_t>(classes),
      text_of("the probabilities of ", classes, " classes for ", examples, " validation examples"),
      "expected fewer of either (--valid, --valid-share)");
}

}  // namespace heed::tasks
