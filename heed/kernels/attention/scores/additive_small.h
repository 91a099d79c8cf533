// The additive score of a row and lanes whose numbers are all small. So is tanh then, and the few
// 1e−8 by which 1 − 2 / (1 + e^{2x}) is wrong would be much of it. There it is
//
//   tanh(q + k) = (tanh q + tanh k) / (1 + tanh q · tanh k)
//
// with one tanh a token and element, exact in the last places of tanh q and tanh k.
#pragma once

#include "heed/kernels/attention/tiles/score_leaf.h"
#include "heed/kernels/vector/lane_sums.h"

namespace heed::kernels::HEED_ISA {

struct AdditiveSmall {
  static constexpr float kMost = 2.5f;  // up to this magnitude little cancels
  static constexpr int kRows = kGroup;  // taken together
  // Elements whose sum is taken by itself: one long sum would round more than torch's.
  static constexpr int kRun = 32;

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

  // Two elements share a division, as in Additive::fast_scores().
  template <int kCount>
  static HEED_INLINE void scores(const PairwiseTile& t, int first, int v, int begin) {
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
