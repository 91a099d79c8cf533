#include "heed/metrics/threshold.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "heed/base/error.h"
#include "heed/metrics/classification.h"

namespace heed::metrics {
namespace {

// A threshold above `below` and not above `least`, the smallest probability that is to reach it.
double between(double below, double least) {
  if (below < kStandardThreshold && kStandardThreshold <= least) return kStandardThreshold;
  const double middle = below + (least - below) / 2;
  return middle > below ? middle : least;
}

}  // namespace

double best_threshold(std::span<const double> probabilities, std::span<const uint8_t> actual) {
  check_usage(probabilities.size() == actual.size(), "best_threshold: expected an answer for each ",
              "of the ", probabilities.size(), " probabilities, got ", actual.size());
  std::vector<size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return probabilities[a] > probabilities[b]; });
  const auto with_label = static_cast<int64_t>(
      std::count_if(actual.begin(), actual.end(), [](uint8_t has) { return has != 0; }));
  double best_f1 = 0;
  double best = kStandardThreshold;
  int64_t correct = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    correct += actual[order[i]] != 0;
    const double least = probabilities[order[i]];
    const bool last = i + 1 == order.size();
    const double below = last ? 0 : probabilities[order[i + 1]];
    if (!last && below == least) continue;  // no threshold stands between equal ones
    const double f1 = precision_recall(correct, static_cast<int64_t>(i) + 1, with_label).f1;
    const double threshold = between(below, least);
    const bool nearer =
        std::abs(threshold - kStandardThreshold) < std::abs(best - kStandardThreshold);
    if (f1 > best_f1 || (f1 == best_f1 && f1 > 0 && nearer)) {
      best_f1 = f1;
      best = threshold;
    }
  }
  return best;
}

}  // namespace heed::metrics
