#include "heed/ops/log_sum_exp.h"

#include <cstdint>

#include "heed/kernels/elementwise/softmax_loss.h"

namespace heed {

double log_sum_exp(std::span<const float> logits) {
  return kernels::log_sum_exp({.logits = logits.data(),
                               .type = kernels::DataType::kFloat32,
                               .classes = static_cast<int64_t>(logits.size())});
}

}  // namespace heed
