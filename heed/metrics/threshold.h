// From which probability on a label is given to a text that may have any number of labels.
#pragma once

#include <cstdint>
#include <span>

namespace heed::metrics {

inline constexpr double kStandardThreshold = 0.5;

// The threshold with the best F1, where a text has the label if its probability is at least the
// threshold: the standard one if that is among the best, otherwise the middle between two
// probabilities, of several the nearest to the standard. Without any text that has the label, the
// standard one. `actual` is not 0 for texts that have it. UsageError: different numbers of texts.
double best_threshold(std::span<const double> probabilities, std::span<const uint8_t> actual);

}  // namespace heed::metrics
