#include "heed/viz/drawing/ticks.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace heed {
namespace {

// The nearest of 1, 2, 5 and 10 in ratio.
double nice_step(double rough) {
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double factor = rough / power;
  return power * (factor < 1.4 ? 1 : factor < 3.2 ? 2 : factor < 7 ? 5 : 10);
}

std::string label_of(double value, double step) {
  char buffer[64];
  const double largest = std::max(std::abs(value), step);
  if (largest >= 1e6 || step < 1e-5) {
    std::snprintf(buffer, sizeof buffer, "%.4g", value);
    return buffer;
  }
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  std::snprintf(buffer, sizeof buffer, "%.*f", decimals, value);
  return buffer;
}

}  // namespace

Ticks nice_ticks(double low, double high, int wanted, double smallest_step) {
  Ticks ticks;
  const double span = high / 2 - low / 2;  // halves: the whole may overflow
  if (!(span > 0) || !std::isfinite(span)) return ticks;
  const double rough = span / std::max(wanted, 1) * 2;
  double step = std::max(nice_step(rough), smallest_step);
  if (step > high - low && step > smallest_step) step = nice_step(rough / 2.5);
  // From a whole number of steps, not by adding, so that the last label is as exact as the first.
  const double first = std::ceil(low / step - 1e-6);
  const double last = std::floor(high / step + 1e-6);
  if (!(std::abs(first) < 1e15) || !(last - first < 1000)) return ticks;
  for (double index = first; index <= last; ++index) {
    const double value = index == 0 ? 0 : index * step;
    ticks.values.push_back(value);
    ticks.labels.push_back(label_of(value, step));
  }
  return ticks;
}

}  // namespace heed
