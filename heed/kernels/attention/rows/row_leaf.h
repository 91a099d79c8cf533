// The scores of a list of keys of one query with every modifier; lanes are keys.
#pragma once

#include "heed/kernels/attention/rows/row_products_leaf.h"
#include "heed/kernels/attention/scores/modifiers_leaf.h"
#include "heed/kernels/attention/scores/score_leaf.h"
#include "heed/kernels/vector/dropout.h"

namespace heed::kernels::HEED_ISA {
namespace {

// ---- a block of keys of one query ----

struct KeyBlock {
  int count = 0;
  int64_t index[kRowBlock];
  BlockRows key;
  BlockRows value;
  // Where a modifier asks for them: |j − p(i)|, and the position in a row of the relative table.
  float distance[kRowBlock + kLanes];
  int64_t relative[kRowBlock];
};

template <typename Element>
HEED_INLINE void list_keys(const RowProblem& problem, int64_t query, const KeyList& keys,
                           int64_t begin, KeyBlock& block) {
  const int64_t left = keys.count - begin;
  block.count = static_cast<int>(left < kRowBlock ? left : kRowBlock);
  if (keys.index) {
    for (int j = 0; j < block.count; ++j) {
      const int64_t key = keys.index[begin + j];
      block.index[j] = key;
      block.key.row[j] = element<Element>(problem.key.data, key * problem.key.row);
      block.value.row[j] = element<Element>(problem.value.data, key * problem.value.row);
    }
  } else {
    const int64_t first = keys.begin + begin;
    const Element* key = element<Element>(problem.key.data, first * problem.key.row);
    const Element* value = element<Element>(problem.value.data, first * problem.value.row);
    for (int j = 0; j < block.count; ++j) {
      block.index[j] = first + j;
      block.key.row[j] = key + j * problem.key.row;
      block.value.row[j] = value + j * problem.value.row;
    }
  }
  for (int j = 0; j < kGroup; ++j) {
    block.key.row[block.count + j] = block.key.row[block.count - 1];
    block.value.row[block.count + j] = block.value.row[block.count - 1];
  }
  const Modifiers& modifiers = problem.modifiers;
  if (!modifiers.alibi_slopes && !modifiers.relative.table) return;
  const int64_t reach = modifiers.relative.reach;
  for (int j = 0; j < block.count; ++j) {
    const int64_t ahead = block.index[j] - (query + problem.query_offset);
    block.distance[j] = static_cast<float>(ahead < 0 ? -ahead : ahead);
    const int64_t near = ahead < -reach ? -reach : ahead > reach ? reach : ahead;
    block.relative[j] = near + reach;
  }
}

// Scratch of a pairwise score: up to kRowBlock keys across the lanes, in panels of (D, kPanel), the
// same prepared, and the query prepared.
struct PairwiseScratch {
  float* lanes = nullptr;
  float* prepared = nullptr;
  float* grads = nullptr;
  float* query = nullptr;
};
HEED_INLINE PairwiseScratch pairwise_scratch(float* from, int64_t size) {
  return {from, from + kRowBlock * size, from + 3 * kRowBlock * size, from + 4 * kRowBlock * size};
}

// The row and the lanes of one panel of keys, from row_data on; raw is the caller's.
template <typename Element>
HEED_INLINE PairwiseTile pairwise_panel(const RowProblem& problem, const float* query_row,
                                        int64_t head, const KeyBlock& block, int panel,
                                        const PairwiseScratch& scratch) {
  const int64_t size = problem.size;
  const int64_t offset = head / problem.group * problem.key.head;
  float* lanes = scratch.lanes + panel * kPanel * size;
  float* prepared = scratch.prepared + 2 * panel * kPanel * size;
  const int left = block.count - panel * kPanel;
  const int count = left < kPanel ? left : kPanel;
  for (int64_t d = 0; d < size * kPanel; d += kLanes) store(lanes + d, zeros());
  for (int j = 0; j < count; ++j) {
    const Element* row = element<Element>(block.key.row[panel * kPanel + j], offset);
    for (int64_t d = 0; d < size; ++d) lanes[d * kPanel + j] = as_float(row[d]);
  }
  problem.score->prepare(lanes, size * kPanel, prepared);
  problem.score->prepare(query_row, size, scratch.query);
  PairwiseTile tile;
  tile.rows_are_keys = false;
  tile.rows = 1;
  tile.vectors = (count + kLanes - 1) / kLanes;
  tile.size = static_cast<int>(size);
  tile.row_data = query_row;
  tile.row_stride = size;
  tile.row_prepared = scratch.query;
  tile.row_prepared_stride = 2 * size;
  tile.lane_data = lanes;
  tile.lane_prepared = prepared;
  tile.parameter = problem.parameter + head * size;
  tile.raw_stride = kPanel;
  return tile;
}

template <typename Element>
HEED_INLINE void pairwise_sums(const RowProblem& problem, const float* query_row, int64_t head,
                               const KeyBlock& block, float* scratch, float* raw) {
  const PairwiseScratch pairwise = pairwise_scratch(scratch, problem.size);
  float sums[kPanel];
  for (int panel = 0; panel * kPanel < block.count; ++panel) {
    PairwiseTile tile = pairwise_panel<Element>(problem, query_row, head, block, panel, pairwise);
    tile.raw = sums;
    problem.score->pairwise_score(tile);
    for (int v = 0; v < tile.vectors; ++v) {
      store(raw + panel * kPanel + v * kLanes, load(sums + v * kLanes));
    }
  }
}

// Raw scores, and what they become before the scale where the score is not the identity.
struct BlockScores {
  float raw[kRowBlock + kLanes];
  float key_terms[kRowBlock + kLanes];
  float score[kRowBlock + kLanes];
  float slope[kRowBlock + kLanes];  // of the softcap
};

HEED_INLINE RowScoreBlock score_block(const RowProblem& problem, int64_t query, int64_t head,
                                      const KeyBlock& keys, BlockScores& scores) {
  RowScoreBlock block;
  block.count = keys.count;
  block.raw = scores.raw;
  block.values = scores.score;
  if (problem.score->has_terms) {
    const int64_t key_heads = problem.heads / problem.group;
    const float* terms = problem.key_terms + head / problem.group;
    block.query_term = problem.query_terms[query * problem.heads + head];
    for (int j = 0; j < keys.count; ++j) scores.key_terms[j] = terms[keys.index[j] * key_heads];
    block.key_terms = scores.key_terms;
  }
  if (problem.score->parameters > 0) block.parameter = problem.parameter[head];
  return block;
}

// The modifiers of scores[0 … count).
HEED_INLINE void modify_scores(const RowProblem& problem, int64_t query, int64_t head,
                               const KeyBlock& keys, BlockScores& scores) {
  const Modifiers& m = problem.modifiers;
  const HeadModifiers of_head = modifiers_of_head(m, problem.scale, head);
  const ModifiedScore modified(of_head, 1);
  float relative[kRowBlock + kLanes];
  float dense[kRowBlock + kLanes];
  if (of_head.has_relative) {
    const float* table = m.relative.table + head * m.relative.head;
    for (int j = 0; j < keys.count; ++j) relative[j] = table[keys.relative[j]];
  }
  if (of_head.has_dense) {
    const int64_t row = head * m.dense.head + query * m.dense.row;
    for (int j = 0; j < keys.count; ++j) {
      dense[j] = read_typed_one(m.dense.data, m.dense.type, row + keys.index[j]);
    }
  }
  for (int j = 0; j < keys.count; j += kLanes) {
    const Floats bias = modified.bias([&]() HEED_INLINE_LAMBDA { return load(keys.distance + j); },
                                      [&]() HEED_INLINE_LAMBDA { return load(relative + j); },
                                      [&]() HEED_INLINE_LAMBDA { return load(dense + j); });
    Floats slope;
    store(scores.score + j, modified.score(load(scores.score + j), bias, slope));
    if (modified.is_capped()) store(scores.slope + j, slope);
  }
}

// Scores of a block after all modifiers; −inf from count to the next whole vector.
template <typename Element>
HEED_INLINE void block_scores(const RowProblem& problem, const float* query_row, int64_t query,
                              int64_t head, const KeyBlock& keys, float* scratch,
                              BlockScores& scores) {
  const int count = keys.count;
  float* raw = problem.score->is_identity ? scores.score : scores.raw;
  if (problem.score->is_pairwise) {
    pairwise_sums<Element>(problem, query_row, head, keys, scratch, raw);
  } else {
    row_products<Element>(query_row, keys.key, head / problem.group * problem.key.head, count,
                          problem.size, raw);
  }
  if (!problem.score->is_identity) {
    problem.score->values(score_block(problem, query, head, keys, scores));
  }
  modify_scores(problem, query, head, keys, scores);
  float* last = scores.score + (count - 1) / kLanes * kLanes;
  const Mask live = mask_of_bits(first_bits((count - 1) % kLanes + 1));
  store(last, select(live, load(last), broadcast(-__builtin_inff())));
}

// Multiplies each weight by 0 or 1 / (1 − probability).
HEED_INLINE void apply_dropout(const RowProblem& problem, int64_t query, int64_t head,
                               const KeyBlock& keys, float* weights) {
  if (!problem.query_keys) return;
  const uint32_t mine = problem.query_keys[query * problem.heads + head];
  for (int j = 0; j < keys.count; ++j) {
    const uint32_t theirs = problem.key_keys[keys.index[j] * problem.heads + head];
    const bool keeps = dropout_mix(mine, theirs) >= problem.threshold;
    weights[j] *= keeps ? problem.keep_factor : 0.0f;
  }
}

}  // namespace
}  // namespace heed::kernels::HEED_ISA
