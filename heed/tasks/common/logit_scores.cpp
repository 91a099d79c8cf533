#include "heed/tasks/common/logit_scores.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"

namespace heed::tasks {

ClassificationScores scores_of_logits(const at::Tensor& logits,
                                      const std::vector<int32_t>& classes) {
  const auto count = std::ssize(classes);
  check_usage(logits.dim() == 2 && logits.size(0) == count && count > 0,
              "logits: expected a row for each of ", count, " classes, got ", logits.sizes());
  const at::Tensor losses = -at::log_softmax(logits.to(at::kDouble), 1).contiguous();
  const at::Tensor best = logits.argmax(1);
  const auto* loss_at = losses.const_data_ptr<double>();
  const auto* best_at = best.const_data_ptr<int64_t>();
  metrics::ConfusionMatrix confusion(logits.size(1));
  double loss = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t actual = classes[static_cast<size_t>(i)];
    loss += loss_at[i * logits.size(1) + actual];
    confusion.add(actual, best_at[i]);
  }
  return {.metrics = {{"loss", loss / static_cast<double>(count)},
                      {"accuracy", confusion.accuracy()},
                      {"macro_f1", confusion.macro_f1()},
                      {"examples", static_cast<double>(count)}},
          .confusion = confusion};
}

}  // namespace heed::tasks
