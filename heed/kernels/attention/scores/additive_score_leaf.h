// The scores of a tile of the additive score: see additive_leaf.h for the formulas.
#pragma once

#include "heed/kernels/attention/scores/additive_ways_leaf.h"
#include "heed/kernels/vector/lane_sums_leaf.h"

namespace heed::kernels::HEED_ISA {

struct AdditiveScore {
  static constexpr int kRows = kGroup;  // taken together
  // Elements whose sum is taken by itself: one long sum would round more than torch's.
  static constexpr int kRun = 32;

  static void score(const PairwiseTile& t) {
    AdditiveWays::Lanes lanes;
    AdditiveWays::measure_lanes(t, lanes);
    for (int i = 0; i < t.rows; i += kRows) {
      const int count = t.rows - i < kRows ? t.rows - i : kRows;
      float rows[kRows];
      for (int u = 0; u < count; ++u) rows[u] = AdditiveWays::largest_row(t, i + u, i + u + 1);
      for (int v = 0; v < t.vectors; ++v) {
        AdditiveWay ways[kRows];
        bool together = count == kRows;
        for (int u = 0; u < count; ++u) {
          ways[u] = AdditiveWays::way_of(rows[u], lanes.least[v], lanes.most[v]);
          together = together && ways[u] == ways[0] && ways[u] != AdditiveWay::kMixed;
        }
        if (together) {
          scores_of<kRows>(ways[0], t, i, v);
          continue;
        }
        for (int u = 0; u < count; ++u) {
          if (ways[u] == AdditiveWay::kMixed) {
            mixed_score(t, i + u, v, rows[u], lanes);
          } else {
            scores_of<1>(ways[u], t, i + u, v);
          }
        }
      }
    }
  }

  template <int kCount>
  static HEED_INLINE void scores_of(AdditiveWay way, const PairwiseTile& t, int first, int v) {
    for (int d = 0; d < t.size; d += kRun) {
      if (way == AdditiveWay::kSmall) {
        small_scores<kCount>(t, first, v, d);
      } else if (way == AdditiveWay::kFast) {
        fast_scores<kCount>(t, first, v, d);
      } else {
        for (int u = 0; u < kCount; ++u) safe_score(t, first + u, v, d);
      }
    }
  }

  // Every way that some lane needs, and of each lane its own.
  static void mixed_score(const PairwiseTile& t, int row, int v, float size,
                          const AdditiveWays::Lanes& lanes) {
    float* to = t.raw + row * t.raw_stride + v * kLanes;
    const Floats of = load(lanes.of + v * kLanes);
    Floats result = zeros();
    if (!(size + lanes.most[v] < AdditiveWays::kMostFast)) {
      scores_of<1>(AdditiveWay::kCareful, t, row, v);
      result = load(to);
    }
    if (size + lanes.least[v] < AdditiveWays::kMostFast) {
      scores_of<1>(AdditiveWay::kFast, t, row, v);
      result =
          select(less(of + broadcast(size), broadcast(AdditiveWays::kMostFast)), load(to), result);
    }
    if (size < AdditiveWays::kMostSmall && lanes.least[v] < AdditiveWays::kMostSmall) {
      scores_of<1>(AdditiveWay::kSmall, t, row, v);
      result = select(less(of, broadcast(AdditiveWays::kMostSmall)), load(to), result);
    }
    store(to, result);
  }

  // v − 2 v r is taken for each pair of elements, not once for all of them: Σ v and 2 Σ v r are
  // both much larger than what is left of them.
  template <int kCount>
  static HEED_INLINE void fast_scores(const PairwiseTile& t, int first, int v, int begin) {
    const int end = begin + kRun < t.size ? begin + kRun : t.size;
    const Floats one = broadcast(1);
    const float* lanes = t.lane_prepared + v * kLanes;
    const float* rows = t.row_prepared + first * t.row_prepared_stride;
    Floats sum[kCount];
#pragma GCC unroll 8
    for (int u = 0; u < kCount; ++u) sum[u] = zeros();
    int d = begin;
    for (; d + 2 <= end; d += 2) {
      const Floats lane0 = load(lanes + d * kPanel);
      const Floats lane1 = load(lanes + (d + 1) * kPanel);
      const Floats v0 = broadcast(-2 * t.parameter[d]);
      const Floats v1 = broadcast(-2 * t.parameter[d + 1]);
      const Floats both = broadcast(t.parameter[d] + t.parameter[d + 1]);
#pragma GCC unroll 8
      for (int u = 0; u < kCount; ++u) {
        const float* row = rows + u * t.row_prepared_stride + d;
        const Floats a = fma(lane0, broadcast(row[0]), one);
        const Floats b = fma(lane1, broadcast(row[1]), one);
        sum[u] = sum[u] + (both + fma(v0, b, v1 * a) / (a * b));
      }
    }
    if (d < end) {
      const Floats lane0 = load(lanes + d * kPanel);
      const Floats v0 = broadcast(-2 * t.parameter[d]);
      const Floats last = broadcast(t.parameter[d]);
#pragma GCC unroll 8
      for (int u = 0; u < kCount; ++u) {
        const float* row = rows + u * t.row_prepared_stride + d;
        sum[u] = sum[u] + (last + v0 / fma(lane0, broadcast(row[0]), one));
      }
    }
    add_run(t, first, v, begin, sum);
  }

  static void safe_score(const PairwiseTile& t, int row, int v, int begin) {
    const int end = begin + kRun < t.size ? begin + kRun : t.size;
    Floats sum[1] = {zeros()};
    for (int d = begin; d < end; ++d) {
      const Floats x = load(t.lane_data + d * kPanel + v * kLanes) +
                       broadcast(t.row_data[row * t.row_stride + d]);
      sum[0] = fma(broadcast(t.parameter[d]), tanh(x), sum[0]);
    }
    add_run(t, row, v, begin, sum);
  }

  // What the elements from `begin` on add to some rows of raw.
  template <int kCount>
  static HEED_INLINE void add_run(const PairwiseTile& t, int first, int v, int begin,
                                  const Floats (&sum)[kCount]) {
#pragma GCC unroll 8
    for (int u = 0; u < kCount; ++u) {
      float* to = t.raw + (first + u) * t.raw_stride + v * kLanes;
      store(to, begin == 0 ? sum[u] : load(to) + sum[u]);
    }
  }

  // The second numbers of Additive::prepare().
  static HEED_INLINE const float* lane_tanhs(const PairwiseTile& t) {
    return t.lane_prepared + int64_t{t.size} * kPanel;
  }
  static HEED_INLINE const float* row_tanhs(const PairwiseTile& t, int row) {
    return t.row_prepared + row * t.row_prepared_stride + t.row_prepared_stride / 2;
  }

  // Two elements share a division, as in fast_scores().
  template <int kCount>
  static HEED_INLINE void small_scores(const PairwiseTile& t, int first, int v, int begin) {
    const int end = begin + kRun < t.size ? begin + kRun : t.size;
    const Floats one = broadcast(1);
    const float* lanes = lane_tanhs(t) + v * kLanes;
    const float* rows = row_tanhs(t, first);
    Floats sum[kCount];
#pragma GCC unroll 8
    for (int u = 0; u < kCount; ++u) sum[u] = zeros();
    int d = begin;
    for (; d + 2 <= end; d += 2) {
      const Floats lane0 = load(lanes + d * kPanel);
      const Floats lane1 = load(lanes + (d + 1) * kPanel);
      const Floats v0 = broadcast(t.parameter[d]);
      const Floats v1 = broadcast(t.parameter[d + 1]);
#pragma GCC unroll 8
      for (int u = 0; u < kCount; ++u) {
        const float* row = rows + u * t.row_prepared_stride + d;
        const Floats row0 = broadcast(row[0]);
        const Floats row1 = broadcast(row[1]);
        const Floats a = fma(lane0, row0, one);
        const Floats b = fma(lane1, row1, one);
        const Floats of0 = v0 * (lane0 + row0);
        const Floats of1 = v1 * (lane1 + row1);
        sum[u] = sum[u] + fma(of0, b, of1 * a) / (a * b);
      }
    }
    if (d < end) {
      const Floats lane = load(lanes + d * kPanel);
      const Floats last = broadcast(t.parameter[d]);
#pragma GCC unroll 8
      for (int u = 0; u < kCount; ++u) {
        const Floats row = broadcast(rows[u * t.row_prepared_stride + d]);
        sum[u] = sum[u] + last * (lane + row) / fma(lane, row, one);
      }
    }
    add_run(t, first, v, begin, sum);
  }
};

}  // namespace heed::kernels::HEED_ISA
