// The next number of a series that is too short to train on.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace heed::tasks {

struct ShortForecast {
  double next = 0;
  // Around `next`, so that the true number lies inside with the probability `coverage`, if the
  // series goes on as it did: the most that its past errors can vouch for, at most 0.95.
  double half_width = 0;
  double coverage = 0;
  std::string rule;             // "attention", "last value" or "mean"
  std::vector<double> weights;  // of attention: how much each number but the last has part in it
};

// Three rules predict each number but the first from those before it; the one whose errors were
// smallest predicts the next.
//   attention   the last number is the query, each number before it a key, what followed it the
//               value: softmax(−(x_n − x_t)² / (2 σ²)) · x_{t+1}, σ² the variance of the series
//   last value  the number before
//   mean        of all numbers before
// Throws UsageError for fewer than 3 numbers.
ShortForecast forecast_short(std::span<const float> numbers);

}  // namespace heed::tasks
