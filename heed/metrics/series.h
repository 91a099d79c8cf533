// How far forecasts are from what came, and intervals that held it.
#pragma once

#include <cstdint>
#include <vector>

namespace heed::metrics {

// Sums over all numbers of all forecasts.
struct ForecastErrors {
  double squared = 0;
  double absolute = 0;
  int64_t count = 0;

  void add(double forecast, double actual);
  void add(const ForecastErrors& other);
  double mse() const { return count == 0 ? 0 : squared / static_cast<double>(count); }
  double mae() const { return count == 0 ? 0 : absolute / static_cast<double>(count); }
};

// The half width that an interval around a forecast needs so that it holds the next one, too, with
// this probability: the ceil((n + 1) · coverage)-th smallest of the n absolute errors seen so far,
// the largest where n is too small.          Split conformal prediction, Lei et al. 2018,
// section 2.2
double conformal_half_width(std::vector<float> absolute_errors, double coverage);

}  // namespace heed::metrics
