// log Σ e^x of plain numbers, for those who weigh logits one row at a time.
#pragma once

#include <span>

namespace heed {

// As the kernel of the cross-entropy sums.
double log_sum_exp(std::span<const float> logits);

}  // namespace heed
