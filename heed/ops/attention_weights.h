// The weights of attention on demand: chosen heads and queries, and what the weights look like in
// all, in memory that grows with the result and not with Nq · Nk (float32 and bfloat16 on the CPU;
// float64 and other devices make the whole matrix by tensor operations first).
//
// Weights are per query head and before dropout; a pair that the pattern leaves out weighs 0. The
// results are float32 (float64 for float64) and have no gradients. Throws UsageError as
// heed::attention does, and where a number is out of range.
#pragma once

#include <vector>

#include "heed/ops/attention.h"

namespace heed {

// Which heads and queries, by number; empty: all.
struct WeightSelection {
  std::vector<int64_t> heads = {};
  std::vector<int64_t> queries = {};
};

// (B, selected heads, selected queries, Nk). `attended` is what heed::attention gave for the same
// query, key and options: where it is given, it is looked at whether that may be so.
at::Tensor attention_weights(const at::Tensor& query, const at::Tensor& key,
                             const AttentionOptions& options = {},
                             const WeightSelection& selection = {},
                             const std::optional<AttentionResult>& attended = {});

// What the statistics below are of. `result` is like `attended`; its tensors may be undefined.
struct AttendedTokens {
  at::Tensor query;
  at::Tensor key;
  AttentionOptions options = {};
  AttentionResult result;
};

// The `count` largest weights of each query, largest first, equal ones by key. Where a query has
// fewer keys, the rest is value 0 and key −1.
struct TopWeights {
  at::Tensor values;  // (B, H, Nq, count)
  at::Tensor keys;    // int64, the same shape
};
TopWeights top_weights(const AttendedTokens& tokens, int64_t count);

// The mean weight of each block of pairs, (B, H, ⌈Nq / query_block⌉, ⌈Nk / key_block⌉): a picture
// of any size of a matrix of any size.
struct WeightBlockSize {
  int64_t queries = 64;
  int64_t keys = 64;
};
at::Tensor block_weights(const AttendedTokens& tokens, const WeightBlockSize& block);

// What each key receives from all queries, (B, H, Nk).
at::Tensor column_weights(const AttendedTokens& tokens);

// −Σ weight · ln weight of each query in nats, (B, H, Nq); 0 where it has no key.
at::Tensor row_entropies(const AttendedTokens& tokens);

}  // namespace heed
