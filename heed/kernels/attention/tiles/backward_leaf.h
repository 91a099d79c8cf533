// The backward tile: one block of queries with one block of keys, five products.
//
//                 lanes = keys, in panels of two vectors
//               ┌──────────┬──────────┐
//       queries │ P and dS │          │   S = Q K^T and dP = dO V^T take Q and dO one number at a
//               └──────────┴──────────┘   time, in their natural layout, against K^T and V^T,
//                                         which the task transposed once
//   dV += P^T dO, dK += dS^T Q, dQ = dS K: everything natural
//
// P = exp2(S − log-sum-exp), dS = P ∘ (dP − delta) with delta = Σ_d dO · O  (FlashAttention-2: Dao
// 2023, algorithm 2). dS is left without the scale, which the caller multiplies in at the end.
//
// Where a mask leaves a panel queries only between two rows, only those rows are worked on.
#pragma once

#include "heed/kernels/attention/tiles/backward_panel_leaf.h"
#include "heed/kernels/attention/tiles/forward_leaf.h"
#include "heed/kernels/attention/tiles/row_weights_leaf.h"
#include "heed/kernels/vector/dropout.h"

namespace heed::kernels::HEED_ISA {

struct PanelDropout {
  Words key_keys[2];
  uint32_t threshold;
  Floats factor;
};

inline PanelDropout panel_dropout(const BackwardTile& t, const BackwardKeys& keys,
                                  const PanelView& p) {
  PanelDropout d;
  d.threshold = t.dropout->threshold;
  d.factor = broadcast(t.dropout_factor);
  uint32_t lanes[kPanel] = {};
  for (int j = 0; j < p.keys; ++j) lanes[j] = t.dropout->key_keys[keys.key + p.first_key + j];
  for (int v = 0; v < 2; ++v) d.key_keys[v] = load_words(lanes + v * kLanes);
  return d;
}

// Scores and dP to weights P (after dropout) and dS, row by row.
template <bool kMasked, bool kDropout>
void weights_and_gradients(const BackwardTile& t, const BackwardQueries& queries,
                           const BackwardKeys& keys, const PanelView& p) {
  const Floats factor = broadcast(t.score->is_plain ? t.score->modifiers.scale * kLog2E : 1.0f);
  PanelDropout dropout{};
  if (kDropout) dropout = panel_dropout(t, keys, p);
  for (int i = p.begin; i < p.end; ++i) {
    const RowWeights weights(queries.log_sum[i], queries.log_sum_rest[i], factor);
    const Floats delta = broadcast(queries.delta[i]);
    const uint32_t query_key = kDropout ? t.dropout->query_keys[queries.query + i] : 0;
    for (int v = 0; v < p.vectors; ++v) {
      const int at = i * kPanel + v * kLanes;
      const Floats weight = weights.of(load(t.weights + at));
      Floats grad = load(t.grads + at);
      Floats used = weight;
      if (kDropout) {
        const Mask dropped = drops(dropout.key_keys[v], query_key, dropout.threshold);
        used = select(dropped, zeros(), weight * dropout.factor);
        grad = select(dropped, zeros(), grad * dropout.factor);
      }
      grad = weight * (grad - delta);
      if (kMasked) {
        const Mask live = live_lanes(p, i, v);
        used = select(live, used, zeros());
        grad = select(live, grad, zeros());
      }
      store(t.weights + at, used);
      store(t.grads + at, grad);
    }
  }
}

inline void weights_and_gradients(const BackwardTile& t, const BackwardQueries& queries,
                                  const BackwardKeys& keys, const PanelView& p) {
  const bool dropout = t.dropout->query_keys != nullptr;
  if (p.masked) {
    dropout ? weights_and_gradients<true, true>(t, queries, keys, p)
            : weights_and_gradients<true, false>(t, queries, keys, p);
  } else {
    dropout ? weights_and_gradients<false, true>(t, queries, keys, p)
            : weights_and_gradients<false, false>(t, queries, keys, p);
  }
}

// ---- the five products, of float32 ----

struct SingleProducts {
  static void raw_scores(const BackwardTile& t, const BackwardQueries& queries,
                         const BackwardKeys& keys, const PanelView& p) {
    const float* keys_t = keys.keys_t + static_cast<int64_t>(p.index) * t.size * kPanel;
    multiply<Singles, Walk::kRows, Start::kZero>(
        {queries.queries + p.begin * queries.query_stride, queries.query_stride, keys_t, kPanel,
         t.weights + p.begin * kPanel, kPanel, nullptr, t.size},
        p.end - p.begin, p.vectors);
  }

  static void value_products(const BackwardTile& t, const BackwardQueries& queries,
                             const BackwardKeys& keys, const PanelView& p) {
    const float* values_t = keys.values_t + static_cast<int64_t>(p.index) * t.value_size * kPanel;
    multiply<Singles, Walk::kRows, Start::kZero>(
        {queries.grads + p.begin * queries.grad_stride, queries.grad_stride, values_t, kPanel,
         t.grads + p.begin * kPanel, kPanel, nullptr, t.value_size},
        p.end - p.begin, p.vectors);
  }

  static void add_grad_values(const BackwardTile& t, const BackwardQueries& queries,
                              const BackwardKeys& keys, const PanelView& p) {
    multiply<Singles, Walk::kColumns, Start::kAdd>(
        {t.weights + p.begin * kPanel, kPanel, queries.grads + p.begin * queries.grad_stride,
         queries.grad_stride, keys.grad_values + p.first_key * t.padded_value_size,
         t.padded_value_size, nullptr, p.end - p.begin},
        p.keys, t.padded_value_size / kLanes);
  }

  static void add_grad_keys(const BackwardTile& t, const BackwardQueries& queries,
                            const BackwardKeys& keys, const PanelView& p) {
    multiply<Singles, Walk::kColumns, Start::kAdd>(
        {t.grads + p.begin * kPanel, kPanel, queries.queries + p.begin * queries.query_stride,
         queries.query_stride, keys.grad_keys + p.first_key * t.padded_size, t.padded_size, nullptr,
         p.end - p.begin},
        p.keys, t.padded_size / kLanes);
  }

  // Copies dS of the panel into the tile, zeros in rows that are not live.
  static void keep_score_grads(const BackwardTile& t, const PanelView& p, int rows) {
    for (int i = 0; i < rows; ++i) {
      const bool live = i >= p.begin && i < p.end;
      for (int v = 0; v < p.vectors; ++v) {
        store(t.score_grads + i * kBackwardKeys + p.first_key + v * kLanes,
              live ? load(t.grads + i * kPanel + v * kLanes) : zeros());
      }
    }
  }

  static bool whole_grad_queries(const BackwardTile&, const BackwardKeys&, const PanelView*) {
    return false;
  }

  static void grad_queries(const BackwardTile& t, const BackwardKeys& keys, int row, int rows,
                           int first_key, int end_key) {
    multiply<Singles, Walk::kRows, Start::kZero>(
        {t.score_grads + row * kBackwardKeys + first_key, kBackwardKeys,
         keys.keys + first_key * keys.key_stride, keys.key_stride,
         t.grad_queries + row * t.padded_size, t.padded_size, nullptr, end_key - first_key},
        rows, t.padded_size / kLanes);
  }
};

// The keys that a group of rows has to do with.
struct KeySpan {
  int begin;
  int end;
};
inline KeySpan span_of(const PanelView* panels, int count, int row, int end_row) {
  KeySpan span{0, 0};
  for (int i = 0; i < count; ++i) {
    const PanelView& p = panels[i];
    if (p.begin >= end_row || p.end <= row) continue;
    if (span.end == 0) span.begin = p.first_key;
    span.end = p.first_key + p.keys;
  }
  return span;
}

template <typename Products>
void grad_queries_of(const BackwardTile& t, const BackwardKeys& keys, const PanelView* panels,
                     LiveRows rows) {
  if (Products::whole_grad_queries(t, keys, panels)) return;
  for (int i = rows.begin; i < rows.end; i += kTileRows) {
    const int end = i + kTileRows < rows.end ? i + kTileRows : rows.end;
    const KeySpan span = span_of(panels, keys.panels, i, end);
    Products::grad_queries(t, keys, i, end - i, span.begin, span.end);
  }
}

// ---- pairwise scores ----

inline PairwiseTile pairwise_tile(const BackwardTile& t, const BackwardQueries& queries,
                                  const BackwardKeys& keys, const PanelView& p) {
  const int64_t panel_at = static_cast<int64_t>(p.index) * t.size * kPanel;
  PairwiseTile tile;
  tile.rows_are_keys = false;
  tile.rows = p.end - p.begin;
  tile.vectors = p.vectors;
  tile.size = t.size;
  tile.row_data = queries.queries + p.begin * queries.query_stride;
  tile.row_stride = queries.query_stride;
  tile.row_prepared = queries.prepared + 2 * p.begin * queries.query_stride;
  tile.row_prepared_stride = 2 * queries.query_stride;
  tile.lane_data = keys.keys_t + panel_at;
  tile.lane_prepared = keys.prepared_t + 2 * panel_at;
  tile.parameter = t.score->parameter;
  tile.raw = t.weights + p.begin * kPanel;
  tile.raw_stride = kPanel;
  return tile;
}

// ---- the NaN-safe way ----
//
// Where NaN or an infinity stands in a row that is masked for some of the block, 0 times it must
// not reach the others: the products are taken pair by pair, live pairs only.

inline bool is_live(const BackwardTile& t, int row, int key) {
  return (t.masks[key] >> row & 1) != 0;
}

inline void add_scaled_row(Rows from, DataType type, int row, float factor, int size, float* to) {
  for (int d = 0; d < size; d += kLanes) {
    const Floats x = read_typed(from.data, type, row * from.stride + d, size - d);
    store(to + d, fma(x, broadcast(factor), load(to + d)));
  }
}

inline void add_products_nan_safe(const BackwardTile& t, const BackwardQueries& queries,
                                  const BackwardKeys& keys, const PanelView& p) {
  for (int i = p.begin; i < p.end; ++i) {
    for (int j = 0; j < p.keys; ++j) {
      const int key = p.first_key + j;
      if (!is_live(t, i, key)) continue;
      add_scaled_row(queries.raw_grads, t.type, i, t.weights[i * kPanel + j], t.value_size,
                     keys.grad_values + key * t.padded_value_size);
      const float grad = t.grads[i * kPanel + j];
      if (t.score->function->is_pairwise) continue;  // has its own
      add_scaled_row(queries.raw_queries, t.type, i, grad, t.size,
                     keys.grad_keys + key * t.padded_size);
      add_scaled_row(keys.raw_keys, t.type, key, grad, t.size, t.grad_queries + i * t.padded_size);
    }
  }
}

inline void pairwise_gradients_of(const BackwardTile& t, const BackwardKeys& keys,
                                  const PanelView& p, const PairwiseTile& tile, int row) {
  PairwiseGradient g;
  g.tile = tile;
  g.tile.raw = t.grads + row * kPanel;
  g.lanes = p.keys;
  g.grad_rows = t.grad_queries + row * t.padded_size;
  g.grad_rows_stride = t.padded_size;
  g.grad_lanes = keys.grad_keys_t + static_cast<int64_t>(p.index) * t.size * kPanel;
  g.grad_parameter = t.sums.parameter;
  t.score->function->pairwise_gradient(g);
}

// Row by row, with the keys that the row may not attend to replaced by zeros.
inline void pairwise_gradients_nan_safe(const BackwardTile& t, const BackwardQueries& queries,
                                        const BackwardKeys& keys, const PanelView& p) {
  const PairwiseTile all = pairwise_tile(t, queries, keys, p);
  float* lanes = t.lane_copies;
  float* prepared = lanes + static_cast<int64_t>(t.size) * kPanel;
  for (int i = p.begin; i < p.end; ++i) {
    const int skipped = i - p.begin;
    bool any = false;
    for (int j = 0; j < p.keys; ++j) {
      const bool live = is_live(t, i, p.first_key + j);
      any |= live;
      for (int d = 0; d < t.size; ++d) {
        lanes[d * kPanel + j] = live ? all.lane_data[d * kPanel + j] : 0;
      }
    }
    if (!any) continue;
    for (int d = 0; d < t.size; ++d) {
      for (int j = p.keys; j < kPanel; ++j) lanes[d * kPanel + j] = 0;
    }
    t.score->function->prepare(lanes, static_cast<int64_t>(t.size) * kPanel, prepared);
    PairwiseTile one = all;
    one.rows = 1;
    one.row_data += skipped * all.row_stride;
    one.row_prepared += skipped * all.row_prepared_stride;
    one.lane_data = lanes;
    one.lane_prepared = prepared;
    pairwise_gradients_of(t, keys, p, one, i);
  }
}

inline void pairwise_gradients(const BackwardTile& t, const BackwardQueries& queries,
                               const BackwardKeys& keys, const PanelView& p, bool nan_safe) {
  if (nan_safe) return pairwise_gradients_nan_safe(t, queries, keys, p);
  pairwise_gradients_of(t, keys, p, pairwise_tile(t, queries, keys, p), p.begin);
}

// ---- the tile ----

inline void clear_rows(float* rows, int64_t count) {
  for (int64_t i = 0; i < count; i += kLanes) store(rows + i, zeros());
}

inline bool needs_nan_safe(const BackwardTile& t, const BackwardQueries& queries,
                           const BackwardKeys& keys) {
  return t.masks != nullptr &&
         (has_non_finite(queries.raw_queries, t.type, queries.count, t.size) ||
          has_non_finite(queries.raw_grads, t.type, queries.count, t.value_size) ||
          has_non_finite(keys.raw_keys, t.type, keys.count, t.size));
}

// From raw scores in t.weights and dP in t.grads to P and the gradient of the raw scores.
inline void finish_panel_gradients(const BackwardTile& t, const BackwardQueries& queries,
                                   const BackwardKeys& keys, const PanelView& p) {
  if (t.score->is_plain) return weights_and_gradients(t, queries, keys, p);
  t.score->function->finish_backward(t, queries, keys, p.index, p.begin, p.end);
  weights_and_gradients(t, queries, keys, p);
  t.score->function->finish_gradient(t, queries, keys, p.index, p.begin, p.end);
}

inline LiveRows join_rows(LiveRows rows, const PanelView& p) {
  if (p.begin == p.end) return rows;
  if (rows.begin == rows.end) return {p.begin, p.end};
  return {p.begin < rows.begin ? p.begin : rows.begin, p.end > rows.end ? p.end : rows.end};
}

// Prefetches the dense bias of the panel that comes next: of the same queries, or the first
// of the next block of queries, which is the one before. Its rows are pages apart, so that the
// processor fetches nothing of itself.
inline void prefetch_next_dense(const BackwardTile& t, const BackwardQueries& queries,
                                const BackwardKeys& keys, const PanelView& p) {
  const bool same_queries = p.index + 1 < keys.panels;
  if (!same_queries && queries.query < kBackwardQueries) return;
  const DenseBias& dense = t.score->dense;
  const int64_t first_query = same_queries ? queries.query : queries.query - kBackwardQueries;
  const int first_key = same_queries ? p.first_key + kPanel : 0;
  const int count = keys.count - first_key < kPanel ? keys.count - first_key : kPanel;
  for (int i = same_queries ? p.begin : 0; i < queries.count; ++i) {
    prefetch_dense_row(dense, (first_query + i) * dense.row + keys.key + first_key, count);
  }
}

// P and the gradient of the raw scores of a panel.
template <typename Products>
void panel_gradients(const BackwardTile& t, const BackwardQueries& queries,
                     const BackwardKeys& keys, const PanelView& p) {
  if (t.score->dense.data != nullptr) prefetch_next_dense(t, queries, keys, p);
  if (t.score->function->is_pairwise) {
    t.score->function->pairwise_score(pairwise_tile(t, queries, keys, p));
  } else {
    Products::raw_scores(t, queries, keys, p);
  }
  Products::value_products(t, queries, keys, p);
  finish_panel_gradients(t, queries, keys, p);
}

template <typename Products>
LiveRows backward_tile_of(const BackwardTile& t, const BackwardQueries& queries,
                          const BackwardKeys& keys) {
  const bool nan_safe = needs_nan_safe(t, queries, keys);
  const bool pairwise = t.score->function->is_pairwise;
  const bool by_products = !nan_safe && !pairwise;  // dK and dQ by products
  if (!by_products) clear_rows(t.grad_queries, kBackwardQueries * t.padded_size);
  if (t.sums.dense != nullptr && t.masks != nullptr) {
    clear_rows(t.sums.dense, kBackwardQueries * kBackwardKeys);
  }
  LiveRows rows;
  PanelView panels[kBackwardKeys / kPanel];
  for (int index = 0; index < keys.panels; ++index) {
    PanelView& p = panels[index];
    p = view_panel(t, queries, keys, index);
    rows = join_rows(rows, p);
    if (p.begin < p.end) {
      panel_gradients<Products>(t, queries, keys, p);
      if (pairwise) pairwise_gradients(t, queries, keys, p, nan_safe);
      if (nan_safe) {
        add_products_nan_safe(t, queries, keys, p);
      } else {
        Products::add_grad_values(t, queries, keys, p);
        if (by_products) Products::add_grad_keys(t, queries, keys, p);
      }
    }
    if (by_products) Products::keep_score_grads(t, p, queries.count);
  }
  if (by_products) grad_queries_of<Products>(t, keys, panels, rows);
  return rows;
}

inline LiveRows backward_tile(const BackwardTile& t, const BackwardQueries& queries,
                              const BackwardKeys& keys) {
  return backward_tile_of<SingleProducts>(t, queries, keys);
}

}  // namespace heed::kernels::HEED_ISA
