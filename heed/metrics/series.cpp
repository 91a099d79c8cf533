#include "heed/metrics/series.h"

#include <algorithm>
#include <cmath>

namespace heed::metrics {

void ForecastErrors::add(double forecast, double actual) {
  const double error = forecast - actual;
  squared += error * error;
  absolute += std::abs(error);
  ++count;
}

void ForecastErrors::add(const ForecastErrors& other) {
  squared += other.squared;
  absolute += other.absolute;
  count += other.count;
}

double conformal_half_width(std::vector<float> absolute_errors, double coverage) {
  if (absolute_errors.empty()) return 0;
  const auto count = static_cast<double>(absolute_errors.size());
  const double rank = std::ceil((count + 1) * coverage);
  const auto at = static_cast<int64_t>(std::clamp(rank, 1.0, count)) - 1;
  std::nth_element(absolute_errors.begin(), absolute_errors.begin() + at, absolute_errors.end());
  return absolute_errors[static_cast<size_t>(at)];
}

}  // namespace heed::metrics
