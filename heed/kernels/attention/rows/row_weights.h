// The weights of attention on demand, never more of them at a time than a few rows: written out for
// chosen heads and queries, or what they look like in all. Weights are per query head and before
// dropout; a pair that the pattern leaves out weighs 0.
//
// Every result is float32 and the same bits for any number of workers. UsageError where a number
// or a selection is out of range, or the score is not in the list of scores.
#pragma once

#include <cstdint>

#include "heed/base/workers.h"
#include "heed/kernels/attention/problem.h"

namespace heed::kernels {

// Which heads and queries, by number; null: all.
struct WeightSelection {
  const int64_t* heads = nullptr;
  int64_t head_count = 0;
  const int64_t* queries = nullptr;
  int64_t query_count = 0;
};

// weights (B, selected heads, selected queries, Nk).
void selected_weights(const Problem& problem, const WeightSelection& selection, float* weights,
                      const Workers& workers);

// The `count` largest weights of each query, largest first, equal ones by key: values and keys
// (B, H, Nq, count). Where a query has fewer keys, the rest is value 0 and key −1.
struct TopWeights {
  int64_t count = 0;
  float* values = nullptr;
  int64_t* keys = nullptr;
};
void top_weights(const Problem& problem, const TopWeights& top, const Workers& workers);

// The mean weight of each block of pairs: (B, H, ⌈Nq / query_block⌉, ⌈Nk / key_block⌉); the blocks
// at the ends are as large as there are pairs.
struct WeightBlocks {
  int64_t query_block = 0;
  int64_t key_block = 0;
  float* means = nullptr;
};
void block_weights(const Problem& problem, const WeightBlocks& blocks, const Workers& workers);

// −Σ weight · ln weight of each query, in nats: (B, H, Nq); 0 where it has no key.
void row_entropies(const Problem& problem, float* entropies, const Workers& workers);

// All of these in one walk over the weights, with the same bits; what is null (top.values,
// blocks.means) is not wanted.
struct WeightSummary {
  TopWeights top;
  WeightBlocks blocks;
  float* entropies = nullptr;
  float* mean = nullptr;  // over the heads, (B, Nq, Nk)
};
void weight_summary(const Problem& problem, const WeightSummary& summary, const Workers& workers);

// What each key receives: Σ over the queries, (B, H, Nk).
void column_weights(const Problem& problem, float* columns, const Workers& workers);

}  // namespace heed::kernels
