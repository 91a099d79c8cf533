// How well classes were told, from the logits.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "heed/tasks/classify.h"

namespace heed::tasks {

// logits (N, C), the true class of each row -> loss (mean cross-entropy, nats), accuracy, macro_f1,
// examples; and the confusion matrix.
ClassificationScores scores_of_logits(const at::Tensor& logits,
                                      const std::vector<int32_t>& classes);

}  // namespace heed::tasks
