// The forward tile: scores of one panel of queries with one block of keys, online softmax (Milakov
// and Gimelshein 2018), and the product with the values.
//
//                  lanes = queries
//                ┌──────────────────┐
//           keys │ S^T, then P^T    │  a row for each key: maximum and sum run down the rows, so
//                └──────────────────┘  no lane ever talks to another
//                ┌──────────────────┐
//   sizes of V   │ O^T              │  stays in the first-level cache over all key blocks
//                └──────────────────┘
#pragma once

#include "heed/kernels/attention/tiles/copy_leaf.h"
#include "heed/kernels/attention/tiles/product_leaf.h"
#include "heed/kernels/matrix/brgemm.h"
#include "heed/kernels/vector/dropout.h"
#include "heed/kernels/vector/simd_math_leaf.h"

namespace heed::kernels::HEED_ISA {

// Raw scores of `rows` rows from `row` on.
template <typename Kind>
HEED_INLINE void product_rows(const ForwardTile& t, const ForwardPanel& panel,
                              const typename Kind::Element* keys, int64_t key_stride, int row,
                              int rows) {
  multiply<Kind, Walk::kRows, Start::kZero>(
      {keys + row * key_stride, key_stride, panel.queries, kPanel, t.scores + row * kPanel, kPanel,
       nullptr, t.size / Kind::kStep},
      rows, panel.vectors);
}

// Raw scores; meanwhile the tile's dense bias is prefetched, whose rows are too far apart for the
// hardware to guess.
template <typename Kind>
void product_scores(const ForwardTile& t, const ForwardPanel& panel, int count,
                    const typename Kind::Element* keys, int64_t key_stride, int64_t first_key) {
  const DenseBias& dense = t.score->dense;
  if (dense.data == nullptr) return product_rows<Kind>(t, panel, keys, key_stride, 0, count);
  const int steps = (count + kTileRows - 1) / kTileRows;
  const int lanes = (panel.lanes + steps - 1) / steps;
  for (int step = 0; step < steps; ++step) {
    for (int lane = step * lanes; lane < (step + 1) * lanes && lane < panel.lanes; ++lane) {
      prefetch_dense_row(dense, (panel.query + lane) * dense.row + first_key, count);
    }
    const int row = step * kTileRows;
    product_rows<Kind>(t, panel, keys, key_stride, row,
                       count - row < kTileRows ? count - row : kTileRows);
  }
}

inline void pairwise_scores(const ForwardTile& t, const ForwardPanel& panel,
                            const ForwardKeys& keys) {
  PairwiseTile tile;
  tile.rows_are_keys = true;
  tile.rows = keys.count;
  tile.vectors = panel.vectors;
  tile.size = t.size;
  tile.row_data = keys.keys;
  tile.row_stride = keys.key_stride;
  tile.row_prepared = keys.prepared;
  tile.row_prepared_stride = int64_t{2} * t.size;
  tile.lane_data = panel.queries;
  tile.lane_prepared = panel.prepared;
  tile.parameter = t.score->parameter;
  tile.raw = t.scores;
  tile.raw_stride = kPanel;
  t.score->function->pairwise_score(tile);
}

// The maximum of each lane over the keys; keys that a lane may not attend to become −inf.
inline void mask_and_maximum(const ForwardTile& t, const ForwardPanel& panel,
                             const ForwardKeys& keys, float* maximum) {
  const Floats nothing = broadcast(-__builtin_inff());
  for (int v = 0; v < panel.vectors; ++v) {
    Floats top[2] = {nothing, nothing};
    float* at = t.scores + v * kLanes;
    if (t.masks == nullptr) {
      int j = 0;
      for (; j + 2 <= keys.count; j += 2) {
        top[0] = max(top[0], load(at + j * kPanel));
        top[1] = max(top[1], load(at + (j + 1) * kPanel));
      }
      if (j < keys.count) top[0] = max(top[0], load(at + j * kPanel));
    } else {
      for (int j = 0; j < keys.count; ++j, at += kPanel) {
        const Floats x = select(mask_of_bits(t.masks[j] >> (v * kLanes)), load(at), nothing);
        store(at, x);
        top[0] = max(top[0], x);
      }
    }
    store(maximum + v * kLanes, max(top[0], top[1]));
  }
}

// What a tile's scores become weights with: weight = exp2((score − maximum) · factor). The
// difference comes first: it is exact where it matters, the product of a large score is not.
struct LaneSoftmax {
  Floats factor;
  Floats maximum[2];
  float decay[kPanel];  // what the sums so far are multiplied by
};

// Takes the tile's maximum into the panel's.
inline LaneSoftmax raise_maximum(const ForwardPanel& panel, const float* maximum, float factor) {
  LaneSoftmax s;
  s.factor = broadcast(factor);
  const Floats nothing = broadcast(-__builtin_inff());
  for (int v = 0; v < panel.vectors; ++v) {
    float* at = panel.maximum + v * kLanes;
    const Floats before = load(at);
    const Floats now = max(before, load(maximum + v * kLanes));
    // Where nothing has been seen yet, −inf − −inf must not be taken.
    s.maximum[v] = select(equal(now, nothing), zeros(), now);
    const Floats decay = exp2((before - s.maximum[v]) * s.factor);
    store(s.decay + v * kLanes, decay);
    store(at, now);
    store(panel.sum + v * kLanes, load(panel.sum + v * kLanes) * decay);
  }
  return s;
}

// Which lanes lose their weight for key `key_key`.
HEED_INLINE Mask drops(Words query_keys, uint32_t key_key, uint32_t threshold) {
  return less_words(dropout_mix(query_keys, broadcast_word(key_key)), broadcast_word(threshold));
}

// One row of weights, added to `sum` before dropout.
template <bool kDropout>
HEED_INLINE Floats weights_of(Floats score, const LaneSoftmax& s, int v, Words query_keys,
                              uint32_t key_key, uint32_t threshold, Floats& sum) {
  Floats p = exp2((score - s.maximum[v]) * s.factor);
  sum = sum + p;
  if (kDropout) p = select(drops(query_keys, key_key, threshold), zeros(), p);
  return p;
}

HEED_INLINE Words query_keys_of(const ForwardTile& t, const ForwardPanel& panel, int v) {
  Words keys{};
  const int left = panel.lanes - v * kLanes;
  const uint32_t* from = t.dropout->query_keys + panel.query + v * kLanes;
  if (left >= kLanes) return load_words(from);
  for (int i = 0; i < left; ++i) keys[i] = from[i];
  return keys;
}

// t.scores become weights in place, or in pairs of keys: row j/2 holds the bfloat16 of rows j and
// j + 1 (0 beyond the last).
template <typename Kind, bool kDropout>
void scores_to_weights(const ForwardTile& t, const ForwardPanel& panel, const ForwardKeys& keys,
                       const LaneSoftmax& s) {
  const uint32_t threshold = kDropout ? t.dropout->threshold : 0;
  const uint32_t* key_keys = kDropout ? t.dropout->key_keys + keys.key : nullptr;
  for (int v = 0; v < panel.vectors; ++v) {
    const Words query_keys = kDropout ? query_keys_of(t, panel, v) : Words{};
    Floats sum[2] = {zeros(), zeros()};
    float* at = t.scores + v * kLanes;
    float* out = at;
    for (int j = 0; j < keys.count; j += 2, at += 2 * kPanel) {
      const bool both = j + 1 < keys.count;
      const Floats p0 = weights_of<kDropout>(load(at), s, v, query_keys, kDropout ? key_keys[j] : 0,
                                             threshold, sum[0]);
      Floats p1 = zeros();
      if (both) {
        p1 = weights_of<kDropout>(load(at + kPanel), s, v, query_keys,
                                  kDropout ? key_keys[j + 1] : 0, threshold, sum[1]);
      }
      if constexpr (Kind::kStep == 2) {
        store_words(out, pair_of(p0, p1));
        out += kPanel;
      } else {
        store(at, p0);
        if (both) store(at + kPanel, p1);
      }
    }
    float* total = panel.sum + v * kLanes;
    store(total, load(total) + (sum[0] + sum[1]));
  }
}

template <typename Kind>
HEED_INLINE void to_weights(const ForwardTile& t, const ForwardPanel& panel,
                            const ForwardKeys& keys, const LaneSoftmax& s) {
  if (t.dropout->query_keys != nullptr) {
    scores_to_weights<Kind, true>(t, panel, keys, s);
  } else {
    scores_to_weights<Kind, false>(t, panel, keys, s);
  }
}

template <Start start>
HEED_INLINE void add_value_rows(const ForwardTile& t, const ForwardPanel& panel,
                                const ForwardKeys& keys, const LaneSoftmax& s, int begin, int end) {
  multiply<Singles, Walk::kColumns, start>(
      {keys.values + begin * keys.value_stride, keys.value_stride, t.scores + begin * kPanel,
       kPanel, panel.output, kPanel, s.decay, end - begin},
      t.value_size, panel.vectors);
}

inline void add_values(const ForwardTile& t, const ForwardPanel& panel, const ForwardKeys& keys,
                       const LaneSoftmax& s) {
  // The backward pass takes the output for a sum over its own weights. Where something has nearly
  // the same slope in all keys of a row, which pairwise scores and the ends of a relative table
  // have, what the two differ by is all that is left. Short sums round less.
  constexpr int kRun = 32;
  const TileScore& score = *t.score->function;
  const bool short_sums = (score.is_pairwise || t.score->relative != nullptr) && keys.count > kRun;
  const int first = short_sums ? kRun : keys.count;
  add_value_rows<Start::kScale>(t, panel, keys, s, 0, first);
  for (int j = first; j < keys.count; j += kRun) {
    add_value_rows<Start::kAdd>(t, panel, keys, s, j,
                                j + kRun < keys.count ? j + kRun : keys.count);
  }
}

// The same where a value that is not finite may be masked for some of the lanes: 0 · NaN must not
// reach them, so lanes that may not attend are left alone.
inline void add_values_nan_safe(const ForwardTile& t, DataType type, const ForwardPanel& panel,
                                const ForwardKeys& keys, const LaneSoftmax& s) {
  for (int d = 0; d < t.value_size; ++d) {
    for (int v = 0; v < panel.vectors; ++v) {
      float* at = panel.output + d * kPanel + v * kLanes;
      Floats sum = load(at) * load(s.decay + v * kLanes);
      for (int j = 0; j < keys.count; ++j) {
        const float value = type == DataType::kFloat32
                                ? keys.values[j * keys.value_stride + d]
                                : float_of_bfloat16(half_row(keys.raw_values, j)[d]);
        const Floats more = fma(broadcast(value), load(t.scores + j * kPanel + v * kLanes), sum);
        sum = select(mask_of_bits(t.masks[j] >> (v * kLanes)), more, sum);
      }
      store(at, sum);
    }
  }
}

// Softmax of the tile and what it adds to the output, given raw products in t.scores.
template <typename Kind, typename AddValues>
HEED_INLINE void softmax_and_values(const ForwardTile& t, const ForwardPanel& panel,
                                    const ForwardKeys& keys, bool nan_safe, AddValues add) {
  float maximum[kPanel];
  float factor = 1;
  if (t.score->is_plain) {
    mask_and_maximum(t, panel, keys, maximum);
    factor = t.score->modifiers.scale * kLog2E;
  } else {
    t.score->function->finish_forward(t, panel, keys, maximum);
  }
  const LaneSoftmax s = raise_maximum(panel, maximum, factor);
  if (nan_safe) {
    to_weights<Singles>(t, panel, keys, s);
    add_values_nan_safe(t, keys.value_pairs ? DataType::kBFloat16 : DataType::kFloat32, panel, keys,
                        s);
  } else {
    to_weights<Kind>(t, panel, keys, s);
    add(s);
  }
}

inline void forward_tile(const ForwardTile& t, const ForwardPanel& panel, const ForwardKeys& keys) {
  if (t.score->function->is_pairwise) {
    pairwise_scores(t, panel, keys);
  } else {
    product_scores<Singles>(t, panel, keys.count, keys.keys, keys.key_stride, keys.key);
  }
  const bool nan_safe = t.masks != nullptr && keys.nan_safe;
  softmax_and_values<Singles>(t, panel, keys, nan_safe,
                              [&](const LaneSoftmax& s) { add_values(t, panel, keys, s); });
}

inline void store_log_sum_exp(const ForwardPanel& panel, const PanelResult& result, int v,
                              int rows) {
  float whole[kLanes], rest[kLanes];
  const Floats sum = load(panel.sum + v * kLanes);
  Floats of_sum;
  store(whole, log2_in_parts(sum, of_sum));
  store(rest, of_sum);
  for (int i = 0; i < rows; ++i) {
    const float lane_sum = panel.sum[v * kLanes + i];
    // In double, so that what float32 cannot hold is known. NaN comes out of the sum alone.
    const double top = double{panel.maximum[v * kLanes + i]} * double{result.score_factor};
    double lse = (top + whole[i] + rest[i]) * 0.69314718055994530942;
    if (lane_sum != lane_sum) lse = lane_sum;
    if (lane_sum == 0) lse = -__builtin_inf();
    const float rounded = static_cast<float>(lse);
    result.log_sum_exp[v * kLanes + i] = rounded;
    if (result.log_sum_exp_rest == nullptr) continue;
    result.log_sum_exp_rest[v * kLanes + i] =
        lane_sum == 0 ? 0.0f : static_cast<float>(lse - rounded);
  }
}

inline void finish_panel(const ForwardPanel& panel, const PanelResult& result) {
  for (int v = 0; v < panel.vectors; ++v) {
    const int rows = panel.lanes - v * kLanes < kLanes ? panel.lanes - v * kLanes : kLanes;
    const Floats sum = load(panel.sum + v * kLanes);
    const Mask empty = equal(sum, zeros());
    const Floats factor =
        select(empty, zeros(), broadcast(result.output_factor) / select(empty, broadcast(1), sum));
    int d = 0;
    for (; rows == kLanes && result.type == DataType::kFloat32 && d + kLanes <= result.value_size;
         d += kLanes) {
      Words block[kLanes];
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) {
        block[i] = as_words(load(panel.output + (d + i) * kPanel + v * kLanes) * factor);
      }
      transpose(block);
      float* out = static_cast<float*>(result.output) + v * kLanes * result.stride + d;
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) store(out + i * result.stride, as_floats(block[i]));
    }
    for (; d < result.value_size; d += kLanes) {
      const int left = result.value_size - d;
      Words block[kLanes];
      for (int i = 0; i < kLanes; ++i) {
        const float* from = panel.output + (d + i) * kPanel + v * kLanes;
        block[i] = i < left ? as_words(load(from) * factor) : Words{};
      }
      transpose(block);
      for (int i = 0; i < rows; ++i) {
        write_typed(result.output, result.type, (v * kLanes + i) * result.stride + d,
                    as_floats(block[i]), left);
      }
    }
    if (result.log_sum_exp != nullptr) store_log_sum_exp(panel, result, v, rows);
  }
}

#if defined(__AVX512BF16__) && HEED_LANES == 16
// The two products of a whole tile by brgemm.
struct ForwardBrgemm {
  static bool takes(const ForwardTile& t, const ForwardPanel& panel, const ForwardKeys& keys) {
    return t.brgemm != nullptr && keys.value_columns != nullptr && keys.count == kForwardKeys &&
           panel.vectors == 2;
  }

  static void scores(const ForwardTile& t, const ForwardPanel& panel, const ForwardKeys& keys) {
    BrgemmProduct p;
    p.rows = kForwardKeys;
    p.columns = kPanel;
    p.depth = t.size;
    p.a = keys.key_halves;
    p.a_stride = keys.key_halves_stride;
    p.b = panel.queries;
    p.b_stride = kPanel;
    p.c = t.scores;
    p.c_stride = kPanel;
    t.brgemm->multiply(p);
  }

  static void add_values(const ForwardTile& t, const ForwardPanel& panel, const ForwardKeys& keys,
                         const LaneSoftmax& s) {
    for (int d = 0; d < t.value_size; ++d) {
      for (int v = 0; v < 2; ++v) {
        float* at = panel.output + d * kPanel + v * kLanes;
        store(at, load(at) * load(s.decay + v * kLanes));
      }
    }
    BrgemmProduct p;
    p.rows = t.value_size;
    p.columns = kPanel;
    p.depth = kForwardKeys;
    p.a = keys.value_columns;
    p.a_stride = kForwardKeys;
    p.b = t.scores;
    p.b_stride = kPanel;
    p.c = panel.output;
    p.c_stride = kPanel;
    p.adds = true;
    t.brgemm->multiply(p);
  }
};

inline void forward_tile_pairs(const ForwardTile& t, const ForwardPanel& panel,
                               const ForwardKeys& keys) {
  const bool by_brgemm = ForwardBrgemm::takes(t, panel, keys);
  if (by_brgemm) {
    ForwardBrgemm::scores(t, panel, keys);
  } else {
    product_scores<Pairs>(t, panel, keys.count, keys.key_halves, keys.key_halves_stride, keys.key);
  }
  const bool nan_safe = t.masks != nullptr && keys.nan_safe;
  softmax_and_values<Pairs>(t, panel, keys, nan_safe, [&](const LaneSoftmax& s) {
    if (by_brgemm) return ForwardBrgemm::add_values(t, panel, keys, s);
    multiply<Pairs, Walk::kColumns, Start::kScale>(
        {keys.value_pairs, 2 * t.value_size, t.scores, kPanel, panel.output, kPanel, s.decay,
         (keys.count + 1) / 2},
        t.value_size, panel.vectors);
  });
}
#endif

}  // namespace heed::kernels::HEED_ISA
