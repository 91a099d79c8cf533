// Several of the statistics of attention_weights.h at once, for who shows them side by side: the
// weights are made once, which is what takes the time. In attention_weights.cpp.
#pragma once

#include "heed/ops/attention_weights.h"

namespace heed {

struct WeightSummaryOptions {
  int64_t count = 1;           // of the largest weights, see top_weights
  WeightBlockSize block = {};  // see block_weights
  bool with_mean = false;      // which has Nq · Nk numbers
};

struct WeightSummary {
  TopWeights top;        // (B, H, Nq, count)
  at::Tensor blocks;     // (B, H, ⌈Nq / query_block⌉, ⌈Nk / key_block⌉)
  at::Tensor entropies;  // (B, H, Nq)
  at::Tensor mean = {};  // over the heads, (B, Nq, Nk), or undefined
};
WeightSummary weight_summary(const AttendedTokens& tokens, const WeightSummaryOptions& options);

}  // namespace heed
