// What every form of attention demands of its arguments, in one place.
#pragma once

#include "heed/ops/attention.h"

namespace heed {

struct AttentionSizes {
  int64_t batch = 0;
  int64_t heads = 0;      // H
  int64_t key_heads = 0;  // Hk
  int64_t queries = 0;
  int64_t keys = 0;
  int64_t size = 0;        // D
  int64_t value_size = 0;  // Dv

  Pattern::Sizes pattern() const {
    return {.batch = batch, .heads = heads, .queries = queries, .keys = keys};
  }
};

// Shapes, dtypes and options of a call; throws UsageError with what was expected and what came.
// The values inside a pattern's tensors are left to Pattern::check.
AttentionSizes check_attention(const at::Tensor& query, const at::Tensor& key,
                               const at::Tensor& value, const AttentionOptions& options);

// Shapes, dtypes and devices of what a backward pass gets beside the arguments of the forward pass.
struct AttentionBackwardCall;
void check_attention_backward(const AttentionSizes& sizes, const AttentionBackwardCall& call);

// The factor in front of the raw score: options.scale, or the score's own.
double scale_of(const AttentionOptions& options, int64_t size);

// p(0): what has to be added to a query's index to get its position among the keys.
inline int64_t query_offset(const AttentionOptions& options, const AttentionSizes& sizes) {
  return options.alignment == Alignment::kTopLeft ? 0 : sizes.keys - sizes.queries;
}

}  // namespace heed
