// How well scores tell what is from what is not, whatever the threshold.
#pragma once

#include <span>

namespace heed::metrics {

// The probability that one that is has a higher score than one that is not; equal scores count
// half. The area under the curve of true over false positives.              Hanley & McNeil 1982
// NaN where there is none of either.
double roc_auc(std::span<const float> positives, std::span<const float> negatives);

// Σ (recall_n − recall_{n−1}) · precision_n over the thresholds n from the highest score down, as
// scikit-learn's average_precision_score has it. NaN where there is none that is.
double average_precision(std::span<const float> positives, std::span<const float> negatives);

}  // namespace heed::metrics
