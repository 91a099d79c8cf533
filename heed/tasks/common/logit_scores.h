// How well classes were told.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "heed/metrics/classification.h"
#include "heed/tasks/common/task.h"

namespace heed::tasks {

struct ClassificationScores {
  // loss (mean cross-entropy, nats), accuracy, macro_f1, examples; with several labels a text loss
  // (nats, mean over texts and labels), micro_f1, macro_f1, subset_accuracy, examples.
  Metrics metrics;
  std::optional<metrics::ConfusionMatrix> confusion;  // of one label a text
  std::optional<metrics::LabelCounts> counts;         // of several
};

// logits (N, C), the true class of each row -> loss (mean cross-entropy, nats), accuracy, macro_f1,
// examples; and the confusion matrix.
ClassificationScores scores_of_logits(const at::Tensor& logits,
                                      const std::vector<int32_t>& classes);

}  // namespace heed::tasks
