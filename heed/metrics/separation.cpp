#include "heed/metrics/separation.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace heed::metrics {
namespace {

// Scores that are equal together, the highest first.
struct Step {
  double positives = 0;
  double negatives = 0;
};

std::vector<Step> steps_of(std::span<const float> positives, std::span<const float> negatives) {
  std::vector<std::pair<float, bool>> all;
  for (const float score : positives) all.emplace_back(score, true);
  for (const float score : negatives) all.emplace_back(score, false);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Step> steps;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i == 0 || all[i].first != all[i - 1].first) steps.emplace_back();
    ++(all[i].second ? steps.back().positives : steps.back().negatives);
  }
  return steps;
}

}  // namespace

double roc_auc(std::span<const float> positives, std::span<const float> negatives) {
  double above = 0;  // positives with a higher score
  double area = 0;
  for (const Step& step : steps_of(positives, negatives)) {
    area += step.negatives * (above + step.positives / 2);
    above += step.positives;
  }
  const double pairs =
      static_cast<double>(positives.size()) * static_cast<double>(negatives.size());
  return pairs > 0 ? area / pairs : std::nan("");
}

double average_precision(std::span<const float> positives, std::span<const float> negatives) {
  double found = 0;
  double taken = 0;
  double sum = 0;
  for (const Step& step : steps_of(positives, negatives)) {
    found += step.positives;
    taken += step.positives + step.negatives;
    sum += step.positives * found / taken;
  }
  return positives.empty() ? std::nan("") : sum / static_cast<double>(positives.size());
}

}  // namespace heed::metrics
