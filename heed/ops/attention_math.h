// The parts of attention_math, for the tests and for weights on other devices.
#pragma once

#include "heed/ops/attention.h"
#include "heed/ops/attention/argument_checks.h"

namespace heed {

struct MathWeights {
  at::Tensor weights;      // (B, H, Nq, Nk), before dropout
  at::Tensor log_sum_exp;  // (B, H, Nq)
  at::Tensor allowed;      // bool, broadcastable to weights; undefined: all
};

// The weights in the dtype `working`, in which everything is computed.
MathWeights math_weights(const at::Tensor& query, const at::Tensor& key,
                         const AttentionOptions& options, const AttentionSizes& sizes,
                         at::ScalarType working);

// attention_math with every step in the dtype `working`: what plain torch does with tensors of
// that dtype. attention_math itself takes float32 for 16-bit inputs.
AttentionResult attention_math_in(const at::Tensor& query, const at::Tensor& key,
                                  const at::Tensor& value, const AttentionOptions& options,
                                  at::ScalarType working);

}  // namespace heed
