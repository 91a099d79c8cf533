// The five products of the backward tile by pairs of bfloat16:
//
//   S, dP    pairs along D          Q and dO as they are, K^T and V^T packed once for the task
//   dV, dK   pairs along queries    P^T and dS^T paired here, dO and Q paired once for the tile
//   dQ       pairs along keys       dS as it is, K paired once for the task
//
// P and dS are rounded to bfloat16 for their products; every sum is float32.
#pragma once

#include "heed/kernels/attention/tiles/backward_leaf.h"
#include "heed/kernels/matrix/brgemm.h"

#if defined(__AVX512BF16__) && HEED_LANES == 16
namespace heed::kernels::HEED_ISA {

struct PairProducts {
  // The parts of t.pairs: P and dS of the panel in pairs of rows, and dS of the tile in rows.
  static uint16_t* weight_pairs(const BackwardTile& t) {
    return reinterpret_cast<uint16_t*>(t.pairs);
  }
  static uint16_t* grad_pairs(const BackwardTile& t) {
    return weight_pairs(t) + kBackwardQueries * kPanel;
  }
  static uint16_t* grad_rows(const BackwardTile& t) {
    return grad_pairs(t) + kBackwardQueries * kPanel;
  }

  // Whether brgemm takes the products of a panel: all of its queries and keys are there.
  static bool by_brgemm(const BackwardTile& t, const PanelView& p) {
    return t.brgemm != nullptr && p.begin == 0 && p.end == kBackwardQueries && p.keys == kPanel;
  }

  // C (kBackwardQueries, panel) = rows · columns
  static void whole_product(const BackwardTile& t, const uint16_t* rows, int64_t stride, int depth,
                            const float* columns, float* to) {
    BrgemmProduct product;
    product.rows = kBackwardQueries;
    product.columns = kPanel;
    product.depth = depth;
    product.a = rows;
    product.a_stride = stride;
    product.b = columns;
    product.b_stride = kPanel;
    product.c = to;
    product.c_stride = kPanel;
    t.brgemm->multiply(product);
  }

  static void raw_scores(const BackwardTile& t, const BackwardQueries& queries,
                         const BackwardKeys& keys, const PanelView& p) {
    const float* keys_t = keys.keys_t + static_cast<int64_t>(p.index) * (t.size / 2) * kPanel;
    if (by_brgemm(t, p)) {
      return whole_product(t, queries.query_halves, queries.query_halves_stride, t.size, keys_t,
                           t.weights);
    }
    multiply<Pairs, Walk::kRows, Start::kZero>(
        {queries.query_halves + p.begin * queries.query_halves_stride, queries.query_halves_stride,
         keys_t, kPanel, t.weights + p.begin * kPanel, kPanel, nullptr, t.size / 2},
        p.end - p.begin, p.vectors);
  }

  static void value_products(const BackwardTile& t, const BackwardQueries& queries,
                             const BackwardKeys& keys, const PanelView& p) {
    const float* values_t =
        keys.values_t + static_cast<int64_t>(p.index) * (t.value_size / 2) * kPanel;
    if (by_brgemm(t, p)) {
      return whole_product(t, queries.grad_halves, queries.grad_halves_stride, t.value_size,
                           values_t, t.grads);
    }
    multiply<Pairs, Walk::kRows, Start::kZero>(
        {queries.grad_halves + p.begin * queries.grad_halves_stride, queries.grad_halves_stride,
         values_t, kPanel, t.grads + p.begin * kPanel, kPanel, nullptr, t.value_size / 2},
        p.end - p.begin, p.vectors);
  }

  // A panel of the live rows in pairs of rows; p.begin is even.
  static void pair_rows(const float* rows, const PanelView& p, uint16_t* pairs) {
    for (int i = p.begin; i < p.end; i += 2) {
      for (int v = 0; v < p.vectors; ++v) {
        const float* at = rows + i * kPanel + v * kLanes;
        const Floats second = i + 1 < p.end ? load(at + kPanel) : zeros();
        store_words(pairs + i * kPanel + 2 * v * kLanes, pair_of(load(at), second));
      }
    }
  }

  static void add_whole_pairs(const BackwardTile& t, const uint16_t* columns, const uint16_t* rows,
                              int padded, float* to) {
    transpose_pairs(columns, kBackwardQueries / 2, kPanel, t.columns);
    BrgemmProduct product;
    product.rows = kPanel;
    product.columns = padded;
    product.depth = kBackwardQueries;
    product.a = t.columns;
    product.a_stride = kBackwardQueries;
    product.b = rows;
    product.b_stride = padded;
    product.c = to;
    product.c_stride = padded;
    product.adds = true;
    t.brgemm->multiply(product);
  }

  static void add_pairs(const BackwardTile& t, const uint16_t* columns, const uint16_t* rows,
                        int padded, float* to, const PanelView& p) {
    if (by_brgemm(t, p))
      return add_whole_pairs(t, columns, rows, padded, to + p.first_key * padded);
    multiply<Pairs, Walk::kColumns, Start::kAdd>(
        {columns + p.begin * kPanel, 2 * kPanel,
         reinterpret_cast<const float*>(rows + static_cast<int64_t>(p.begin) * padded), padded,
         to + p.first_key * padded, padded, nullptr, (p.end - p.begin + 1) / 2},
        p.keys, padded / kLanes);
  }

  static void add_grad_values(const BackwardTile& t, const BackwardQueries& queries,
                              const BackwardKeys& keys, const PanelView& p) {
    pair_rows(t.weights, p, weight_pairs(t));
    add_pairs(t, weight_pairs(t), queries.grad_pairs, t.padded_value_size, keys.grad_values, p);
  }

  static void add_grad_keys(const BackwardTile& t, const BackwardQueries& queries,
                            const BackwardKeys& keys, const PanelView& p) {
    pair_rows(t.grads, p, grad_pairs(t));
    add_pairs(t, grad_pairs(t), queries.query_pairs, t.padded_size, keys.grad_keys, p);
  }

  static void keep_score_grads(const BackwardTile& t, const PanelView& p, int rows) {
    for (int i = 0; i < rows; ++i) {
      const bool live = i >= p.begin && i < p.end;
      const float* at = t.grads + i * kPanel;
      const Floats first = live ? load(at) : zeros();
      const Floats second = live && p.vectors > 1 ? load(at + kLanes) : zeros();
      store_bfloat16(grad_rows(t) + i * kBackwardKeys + p.first_key, first, second);
    }
  }

  // dQ of the whole tile at once; false where a panel is not whole.
  static bool whole_grad_queries(const BackwardTile& t, const BackwardKeys& keys,
                                 const PanelView* panels) {
    if (keys.count != kBackwardKeys) return false;
    for (int i = 0; i < keys.panels; ++i) {
      if (!by_brgemm(t, panels[i])) return false;
    }
    BrgemmProduct product;
    product.rows = kBackwardQueries;
    product.columns = t.padded_size;
    product.depth = kBackwardKeys;
    product.a = grad_rows(t);
    product.a_stride = kBackwardKeys;
    product.b = keys.key_pairs;
    product.b_stride = t.padded_size;
    product.c = t.grad_queries;
    product.c_stride = t.padded_size;
    t.brgemm->multiply(product);
    return true;
  }

  static void grad_queries(const BackwardTile& t, const BackwardKeys& keys, int row, int rows,
                           int first_key, int end_key) {
    multiply<Pairs, Walk::kRows, Start::kZero>(
        {grad_rows(t) + row * kBackwardKeys + first_key, kBackwardKeys,
         reinterpret_cast<const float*>(keys.key_pairs +
                                        static_cast<int64_t>(first_key) * t.padded_size),
         t.padded_size, t.grad_queries + row * t.padded_size, t.padded_size, nullptr,
         (end_key - first_key + 1) / 2},
        rows, t.padded_size / kLanes);
  }
};

inline LiveRows backward_tile_pairs(const BackwardTile& t, const BackwardQueries& queries,
                                    const BackwardKeys& keys) {
  return backward_tile_of<PairProducts>(t, queries, keys);
}

}  // namespace heed::kernels::HEED_ISA
#endif
