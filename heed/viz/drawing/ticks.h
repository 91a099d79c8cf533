// Round numbers along an axis.
#pragma once

#include <string>
#include <vector>

namespace heed {

// Multiples of 1, 2 or 5 times a power of ten inside [low, high], about `wanted` of them and at
// least one where low < high. `smallest_step` keeps an axis of whole numbers whole.
struct Ticks {
  std::vector<double> values;
  std::vector<std::string> labels;  // all with as many decimals as the step needs
};
Ticks nice_ticks(double low, double high, int wanted, double smallest_step = 0);

}  // namespace heed
