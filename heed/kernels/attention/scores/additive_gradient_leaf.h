// The gradients of a tile of the additive score: see additive_leaf.h for the formulas.
#pragma once

#include "heed/kernels/attention/scores/additive_score_leaf.h"

namespace heed::kernels::HEED_ISA {

struct AdditiveGradient {
  static constexpr int kRows = AdditiveScore::kRows;
  static constexpr int kDepth = 64;  // elements of D that stand in cache

  // Some rows of the tile and their gradients, zeros for rows that are not there.
  struct RowGroup {
    const float* data[kRows];
    const float* prepared[kRows];
    float grads[kRows][kPanel];
    Floats total;  // of the gradients
    int first;
    int count;
    AdditiveWay way;  // of all its pairs
  };

  static void take_rows(const PairwiseTile& t, int first, float lanes, RowGroup& g) {
    g.first = first;
    g.count = t.rows - first < kRows ? t.rows - first : kRows;
    g.way = AdditiveWays::way_for_all(AdditiveWays::largest_row(t, first, first + g.count), lanes);
    g.total = zeros();
    for (int u = 0; u < kRows; ++u) {
      const int row = first + (u < g.count ? u : g.count - 1);
      g.data[u] = t.row_data + row * t.row_stride;
      g.prepared[u] = t.row_prepared + row * t.row_prepared_stride;
      for (int v = 0; v < t.vectors; ++v) {
        const Floats grad = load(t.raw + row * t.raw_stride + v * kLanes);
        const Floats used = u < g.count ? grad : zeros();
        store(g.grads[u] + v * kLanes, used);
        g.total = g.total + used;
      }
    }
  }

  // What one element of one pair adds: grad · (1 − tanh²) / 4 and grad · (1 − tanh) / 2; of small
  // numbers grad · (1 − tanh²) and grad · tanh.
  struct Parts {
    Floats slope;
    Floats rest;
  };
  static HEED_INLINE Parts small_parts(Floats lane, float row, Floats grad) {
    const Floats x = (lane + broadcast(row)) / fma(lane, broadcast(row), broadcast(1));
    const Floats rest = grad * x;
    return {fma(-rest, x, grad), rest};
  }
  static HEED_INLINE Parts fast_parts(Floats lane, float row, Floats grad) {
    const Floats r = broadcast(1) / fma(lane, broadcast(row), broadcast(1));
    const Floats rest = grad * r;
    return {fma(-rest, r, rest), rest};
  }
  // With e = e^{−2|x|}: (1 − tanh²) / 4 = e / (1 + e)², exact also where tanh is close to 1.
  static HEED_INLINE Parts safe_parts(Floats lane, float row, Floats grad) {
    const Floats x = lane + broadcast(row);
    const Floats e = exp_of_twice(-abs(x));
    const Floats r = broadcast(1) / (broadcast(1) + e);
    const Floats rest = r * select(less(x, zeros()), broadcast(1), e);
    // A pair that is not allowed has grad 0, and nothing of it may be read.
    const Mask dead = equal(grad, zeros());
    return {select(dead, zeros(), grad * e * r * r), select(dead, zeros(), grad * rest)};
  }
  template <AdditiveWay kWay>
  static HEED_INLINE Parts parts_of(Floats lane, float row, Floats grad) {
    if constexpr (kWay == AdditiveWay::kSmall) return small_parts(lane, row, grad);
    if constexpr (kWay == AdditiveWay::kFast) return fast_parts(lane, row, grad);
    return safe_parts(lane, row, grad);
  }
  // What Parts::slope still lacks.
  static HEED_INLINE float slope_factor(AdditiveWay way) {
    return way == AdditiveWay::kSmall ? 1.0f : 4.0f;
  }

  // What parts_of() reads of a lane and of each row, from element `begin` on.
  struct Elements {
    const float* lanes;
    const float* rows[kRows];
  };

  // Elements [begin, end) of D: adds to the lanes' gradients, leaves the rows' in row_sums[d][u]
  // and adds grad · tanh to tanhs[d].
  template <int kVectors, AdditiveWay kWay>
  static HEED_INLINE void gradient_block(const PairwiseGradient& g, const RowGroup& rows,
                                         const Elements& elements, int begin, int end,
                                         float (&row_sums)[kDepth][kLanes],
                                         float (&tanhs)[kDepth][kLanes]) {
    for (int d = begin; d < end; ++d) {
      const int i = d - begin;
      Floats lane[kVectors], lane_sum[kVectors], part[kRows];
      Floats rest = zeros();
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        lane[v] = load(elements.lanes + i * kPanel + v * kLanes);
        lane_sum[v] = zeros();
      }
#pragma GCC unroll 8
      for (int u = 0; u < kRows; ++u) {
        part[u] = zeros();
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) {
          const Floats grad = load(rows.grads[u] + v * kLanes);
          const Parts p = parts_of<kWay>(lane[v], elements.rows[u][i], grad);
          rest = rest + p.rest;
          lane_sum[v] = lane_sum[v] + p.slope;
          part[u] = part[u] + p.slope;
        }
      }
      const Floats factor = broadcast(slope_factor(kWay) * g.tile.parameter[d]);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        float* to = g.grad_lanes + d * kPanel + v * kLanes;
        store(to, fma(lane_sum[v], factor, load(to)));
      }
      store(row_sums[i], sums_of(part));
      // Σ grad · tanh = Σ grad − 2 Σ grad · (1 − tanh) / 2, where it is not there already.
      if (kWay != AdditiveWay::kSmall) rest = fma(rest, broadcast(-2.0f), rows.total);
      store(tanhs[i], load(tanhs[i]) + rest);
    }
  }

  template <int kVectors>
  static HEED_INLINE void gradient_block_of(const PairwiseGradient& g, const RowGroup& rows,
                                            const Elements& elements, int begin, int end,
                                            float (&row_sums)[kDepth][kLanes],
                                            float (&tanhs)[kDepth][kLanes]) {
    switch (rows.way) {
      case AdditiveWay::kSmall:
        return gradient_block<kVectors, AdditiveWay::kSmall>(g, rows, elements, begin, end,
                                                             row_sums, tanhs);
      case AdditiveWay::kFast:
        return gradient_block<kVectors, AdditiveWay::kFast>(g, rows, elements, begin, end, row_sums,
                                                            tanhs);
      default:
        return gradient_block<kVectors, AdditiveWay::kCareful>(g, rows, elements, begin, end,
                                                               row_sums, tanhs);
    }
  }

  static Elements elements_of(const PairwiseTile& t, const RowGroup& rows, int begin) {
    const float* lanes = rows.way == AdditiveWay::kSmall  ? AdditiveScore::lane_tanhs(t)
                         : rows.way == AdditiveWay::kFast ? t.lane_prepared
                                                          : t.lane_data;
    Elements e;
    e.lanes = lanes + begin * kPanel;
    for (int u = 0; u < kRows; ++u) {
      const float* prepared = rows.prepared[u];
      const float* row = rows.way == AdditiveWay::kSmall  ? prepared + t.row_prepared_stride / 2
                         : rows.way == AdditiveWay::kFast ? prepared
                                                          : rows.data[u];
      e.rows[u] = row + begin;
    }
    return e;
  }

  static void gradient_rows(const PairwiseGradient& g, const RowGroup& rows,
                            const Elements& elements, int begin, int end,
                            float (&tanhs)[kDepth][kLanes]) {
    float row_sums[kDepth][kLanes];
    if (g.tile.vectors == 2) {
      gradient_block_of<2>(g, rows, elements, begin, end, row_sums, tanhs);
    } else {
      gradient_block_of<1>(g, rows, elements, begin, end, row_sums, tanhs);
    }
    for (int u = 0; u < rows.count; ++u) {
      float* to = g.grad_rows + (rows.first + u) * g.grad_rows_stride;
      for (int d = begin; d < end; ++d) {
        to[d] += slope_factor(rows.way) * g.tile.parameter[d] * row_sums[d - begin][u];
      }
    }
  }

  static void gradient(const PairwiseGradient& g) {
    AdditiveWays::Lanes lanes;
    AdditiveWays::measure_lanes(g.tile, lanes);
    RowGroup rows;
    for (int begin = 0; begin < g.tile.size; begin += kDepth) {
      const int end = begin + kDepth < g.tile.size ? begin + kDepth : g.tile.size;
      float tanhs[kDepth][kLanes] = {};
      for (int i = 0; i < g.tile.rows; i += kRows) {
        take_rows(g.tile, i, lanes.most_of_all, rows);
        gradient_rows(g, rows, elements_of(g.tile, rows, begin), begin, end, tanhs);
      }
      if (g.grad_parameter == nullptr) continue;
      for (int d = begin; d < end; ++d) g.grad_parameter[d] += sum_lanes(load(tanhs[d - begin]));
    }
  }
};

}  // namespace heed::kernels::HEED_ISA
