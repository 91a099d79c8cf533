// What the row_*_leaf.h share: dot products of one row with listed rows, weighted sums of listed
// rows, and the scores of a list of keys with every modifier. Lanes are the elements of a row in
// the first two and keys in the last.
#pragma once

#include "heed/kernels/dropout.h"
#include "heed/kernels/row_kernels.h"
#include "heed/kernels/simd_math.h"
#include "heed/kernels/tile_copy.h"

namespace heed::kernels::HEED_ISA {
namespace {

// ---- elements of either type as float32 ----

HEED_INLINE Floats load_row(const float* from) { return load(from); }
HEED_INLINE Floats load_row(const uint16_t* from) { return load_bfloat16(from); }
HEED_INLINE Floats load_row_first(const float* from, int count) { return load_first(from, count); }
HEED_INLINE Floats load_row_first(const uint16_t* from, int count) {
  Floats v{};
  for (int i = 0; i < count; ++i) v[i] = float_of_bfloat16(from[i]);
  return v;
}
HEED_INLINE void store_row(float* to, Floats v, int count) {
  if (count >= kLanes) {
    store(to, v);
  } else {
    store_first(to, v, count);
  }
}
HEED_INLINE void store_row(uint16_t* to, Floats v, int count) {
  if (count >= kLanes) {
    store_bfloat16(to, v);
  } else {
    for (int i = 0; i < count; ++i) to[i] = bfloat16_of_float(v[i]);
  }
}

template <typename Element>
HEED_INLINE const Element* element(const void* data, int64_t offset) {
  return static_cast<const Element*>(data) + offset;
}

template <typename Element>
HEED_INLINE void copy_row(const void* from, int64_t size, float* to) {
  const Element* row = static_cast<const Element*>(from);
  for (int64_t d = 0; d < size; d += kLanes) {
    if (d + kLanes <= size) {
      store(to + d, load_row(row + d));
    } else {
      store_first(to + d, load_row_first(row + d, static_cast<int>(size - d)),
                  static_cast<int>(size - d));
    }
  }
}

template <typename Element>
HEED_INLINE void write_row(const float* from, int64_t size, float factor, void* to) {
  Element* row = static_cast<Element*>(to);
  for (int64_t d = 0; d < size; d += kLanes) {
    const int count = static_cast<int>(size - d < kLanes ? size - d : kLanes);
    store_row(row + d, load_first(from + d, count) * factor, count);
  }
}

HEED_INLINE float as_float(float x) { return x; }
HEED_INLINE float as_float(uint16_t x) { return float_of_bfloat16(x); }

HEED_INLINE void fill(float* to, int64_t count, float x) {
  for (int64_t i = 0; i < count; ++i) to[i] = x;
}

// ---- one row against listed rows ----

// Rows reduced together: their sums fill this many lanes.
inline constexpr int kGroup = kLanes < 8 ? kLanes : 8;

// Each lane folded onto its partner until one is left, without a way through memory.
template <typename Fold>
HEED_INLINE float fold_lanes(Floats v, Fold fold) {
#if HEED_LANES == 16
  v = fold(v, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  v = fold(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  v = fold(v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  v = fold(v, __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
#elif HEED_LANES == 8
  v = fold(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3));
  v = fold(v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5));
  v = fold(v, __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6));
#else
  v = fold(v, __builtin_shufflevector(v, v, 2, 3, 0, 1));
  v = fold(v, __builtin_shufflevector(v, v, 1, 0, 3, 2));
#endif
  return v[0];
}
HEED_INLINE float total_of(Floats v) {
  return fold_lanes(v, [](Floats a, Floats b) { return a + b; });
}
HEED_INLINE float largest_of(Floats v) {
  return fold_lanes(v, [](Floats a, Floats b) { return max(a, b); });
}

HEED_INLINE float dot_rows(const float* a, const float* b, int64_t size) {
  Floats sum{};
  for (int64_t d = 0; d < size; d += kLanes) {
    const int count = static_cast<int>(size - d < kLanes ? size - d : kLanes);
    sum = fma(load_first(a + d, count), load_first(b + d, count), sum);
  }
  return total_of(sum);
}

// Lane u of the result is the sum of the lanes of v[u], u < kGroup; the other lanes are of no use.
HEED_INLINE Floats sums_of(Floats (&v)[kGroup]) {
#pragma GCC unroll 3
  for (int half = kGroup / 2; half > 0; half /= 2) {
#pragma GCC unroll 4
    for (int i = 0; i < half; ++i) {
      const Words a = as_words(v[i]);
      const Words b = as_words(v[i + half]);
      v[i] = as_floats(interleave_low(a, b)) + as_floats(interleave_high(a, b));
    }
  }
  Floats sum = v[0];
#if HEED_LANES == 16
  sum += __builtin_shufflevector(sum, sum, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
#endif
  return sum;
}

// The rows of a block and their number, padded to whole groups with its last row.
struct BlockRows {
  const void* row[kRowBlock + kGroup];
};

// to[j] = Σ_d row_d · rows[j]_d. Writes up to kLanes floats too many.
template <typename Element>
HEED_INLINE void row_products(const float* with, const BlockRows& rows, int64_t offset, int count,
                              int64_t size, float* to) {
  const int64_t whole = size - size % kLanes;
  const int rest = static_cast<int>(size - whole);
  for (int j = 0; j < count; j += kGroup) {
    const Element* row[kGroup];
    Floats sum[kGroup];
#pragma GCC unroll 8
    for (int u = 0; u < kGroup; ++u) {
      row[u] = element<Element>(rows.row[j + u], offset);
      sum[u] = zeros();
    }
    for (int64_t d = 0; d < whole; d += kLanes) {
      const Floats x = load(with + d);
#pragma GCC unroll 8
      for (int u = 0; u < kGroup; ++u) sum[u] = fma(x, load_row(row[u] + d), sum[u]);
    }
    if (rest > 0) {
      const Floats x = load_first(with + whole, rest);
#pragma GCC unroll 8
      for (int u = 0; u < kGroup; ++u) {
        sum[u] = fma(x, load_row_first(row[u] + whole, rest), sum[u]);
      }
    }
    store(to + j, sums_of(sum));
  }
}

// to[d] += Σ_j weight[j] · rows[j][d], in the order of j.
template <typename Element>
HEED_INLINE void add_rows(const float* weight, const BlockRows& rows, int64_t offset, int count,
                          int64_t size, float* to) {
  int64_t d = 0;
  for (; d + 4 * kLanes <= size; d += 4 * kLanes) {
    Floats sum[4];
#pragma GCC unroll 4
    for (int u = 0; u < 4; ++u) sum[u] = load(to + d + u * kLanes);
    for (int j = 0; j < count; ++j) {
      const Floats w = broadcast(weight[j]);
      const Element* row = element<Element>(rows.row[j], offset + d);
#pragma GCC unroll 4
      for (int u = 0; u < 4; ++u) sum[u] = fma(w, load_row(row + u * kLanes), sum[u]);
    }
#pragma GCC unroll 4
    for (int u = 0; u < 4; ++u) store(to + d + u * kLanes, sum[u]);
  }
  for (; d + kLanes <= size; d += kLanes) {
    Floats sum = load(to + d);
    for (int j = 0; j < count; ++j) {
      sum = fma(broadcast(weight[j]), load_row(element<Element>(rows.row[j], offset + d)), sum);
    }
    store(to + d, sum);
  }
  if (const int rest = static_cast<int>(size - d); rest > 0) {
    Floats sum = load_first(to + d, rest);
    for (int j = 0; j < count; ++j) {
      const Element* row = element<Element>(rows.row[j], offset + d);
      sum = fma(broadcast(weight[j]), load_row_first(row, rest), sum);
    }
    store_first(to + d, sum, rest);
  }
}

// ---- a block of keys of one query ----

struct KeyBlock {
  int count = 0;
  int64_t index[kRowBlock];
  BlockRows key;
  BlockRows value;
  // Where a modifier asks for them: |j − p(i)|, and the place in a row of the relative table.
  float distance[kRowBlock + kLanes];
  int64_t relative[kRowBlock];
};

template <typename Element>
HEED_INLINE void list_keys(const RowProblem& problem, int64_t query, const KeyList& keys,
                           int64_t begin, KeyBlock& block) {
  const int64_t left = keys.count - begin;
  block.count = static_cast<int>(left < kRowBlock ? left : kRowBlock);
  for (int j = 0; j < block.count; ++j) {
    const int64_t key = keys.index ? keys.index[begin + j] : keys.begin + begin + j;
    block.index[j] = key;
    block.key.row[j] = element<Element>(problem.key.data, key * problem.key.row);
    block.value.row[j] = element<Element>(problem.value.data, key * problem.value.row);
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

HEED_INLINE float dense_at(const DenseBias& dense, int64_t at) {
  return dense.type == DataType::kFloat32
             ? static_cast<const float*>(dense.data)[at]
             : float_of_bfloat16(static_cast<const uint16_t*>(dense.data)[at]);
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
  return {from, from + kRowBlock * size, from + 2 * kRowBlock * size, from + 3 * kRowBlock * size};
}

// The row and the lanes of one panel of keys, from row_data on; raw is the caller's.
template <typename Element>
HEED_INLINE PairwiseTile pairwise_panel(const RowProblem& problem, const float* query_row,
                                        int64_t head, const KeyBlock& block, int panel,
                                        const PairwiseScratch& scratch) {
  const int64_t size = problem.size;
  const int64_t offset = head / problem.group * problem.key.head;
  float* lanes = scratch.lanes + panel * kPanel * size;
  float* prepared = scratch.prepared + panel * kPanel * size;
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
  tile.row_prepared_stride = size;
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

// Softcap and ALiBi of scores[0 … count), already scaled.
HEED_INLINE void cap_and_slope(const RowProblem& problem, int64_t head, const KeyBlock& keys,
                               BlockScores& scores) {
  const Modifiers& modifiers = problem.modifiers;
  const float cap = modifiers.softcap;
  for (int j = 0; j < keys.count; j += kLanes) {
    Floats s = load(scores.score + j) * problem.scale;
    if (cap > 0) {
      const Floats t = tanh(s * (1.0f / cap));
      s = t * cap;
      store(scores.slope + j, 1.0f - t * t);
    }
    if (modifiers.alibi_slopes) {
      s = fma(broadcast(-modifiers.alibi_slopes[head]), load(keys.distance + j), s);
    }
    store(scores.score + j, s);
  }
}

// Scores of a block after all modifiers; −inf from count to the next whole vector.
template <typename Element>
HEED_INLINE void block_scores(const RowProblem& problem, const float* query_row, int64_t query,
                              int64_t head, const KeyBlock& keys, float* scratch,
                              BlockScores& scores) {
  const Modifiers& modifiers = problem.modifiers;
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
  cap_and_slope(problem, head, keys, scores);
  if (modifiers.relative.table) {
    const float* table = modifiers.relative.table + head * modifiers.relative.head;
    for (int j = 0; j < count; ++j) scores.score[j] += table[keys.relative[j]];
  }
  if (modifiers.dense.data) {
    const int64_t row = head * modifiers.dense.head + query * modifiers.dense.row;
    for (int j = 0; j < count; ++j) {
      scores.score[j] += dense_at(modifiers.dense, row + keys.index[j]);
    }
  }
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
