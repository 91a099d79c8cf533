#include "heed/nn/attention/distance.h"

#include <ATen/ATen.h>

#include <cmath>

#include "heed/base/error.h"

namespace heed::nn {

at::Tensor alibi_slopes(int64_t heads) {
  check_usage(heads > 0, "alibi_slopes: expected at least 1 head, got ", heads);
  int64_t power = 1;
  while (2 * power <= heads) power *= 2;
  at::Tensor slopes = at::empty({heads}, at::kFloat);
  auto* slope = slopes.mutable_data_ptr<float>();
  for (int64_t h = 0; h < heads; ++h) {
    const auto exponent = h < power
                              ? static_cast<double>(h + 1) / static_cast<double>(power)
                              : (static_cast<double>(h - power) + 0.5) / static_cast<double>(power);
    slope[h] = static_cast<float>(std::exp2(-8 * exponent));
  }
  return slopes;
}

}  // namespace heed::nn
