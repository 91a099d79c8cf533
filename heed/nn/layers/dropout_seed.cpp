#include "heed/nn/layers/dropout_seed.h"

#include <ATen/ATen.h>

namespace heed::nn {

uint64_t draw_seed() {
  return static_cast<uint64_t>(at::randint(INT64_MAX, {1}, at::kLong).item<int64_t>());
}

}  // namespace heed::nn
