// Σ_d v_d LeakyReLU(q_d + k_d): the attention of graphs in its second version (Brody et al. 2022,
// "How attentive are graph attention networks?", eq. 7; the projections of q and k belong to the
// layer above). The first (Veličković et al. 2018, "Graph attention networks", eq. 3),
// LeakyReLU(a · [q, k]), is the same with D = 1 and v = 1, where the layer projects to a_q · q and
// a_k · k. The slope of the negative side is theirs.
#pragma once

#include "heed/kernels/attention/scores/score_leaf.h"

namespace heed::kernels::HEED_ISA {

struct Leaky {
  static constexpr char kName[] = "leaky";
  static constexpr float kSlope = 0.2f;

  static void prepare(const float*, int64_t, float*) {}

  static HEED_INLINE Floats leaky(Floats x) { return max(x, x * broadcast(kSlope)); }

  // Rows taken together share what is loaded of the lanes.
  static constexpr int kRows = 4;
  // Elements whose sum is taken by itself: one long sum would round more than torch's.
  static constexpr int kRun = 16;

  static void score(const PairwiseTile& t) {
    for (int v = 0; v < t.vectors; ++v) {
      int i = 0;
      for (; i + kRows <= t.rows; i += kRows) add_rows<kRows>(t, i, v);
      for (; i < t.rows; ++i) add_rows<1>(t, i, v);
    }
  }

  template <int kCount>
  static HEED_INLINE void add_rows(const PairwiseTile& t, int first, int v) {
    const float* rows = t.row_data + first * t.row_stride;
    Floats sum[kCount];
#pragma GCC unroll 4
    for (int u = 0; u < kCount; ++u) sum[u] = zeros();
    for (int begin = 0; begin < t.size; begin += kRun) {
      const int end = begin + kRun < t.size ? begin + kRun : t.size;
      Floats run[kCount];
#pragma GCC unroll 4
      for (int u = 0; u < kCount; ++u) run[u] = zeros();
      for (int d = begin; d < end; ++d) {
        const Floats lane = load(t.lane_data + d * kPanel + v * kLanes);
        const Floats weight = broadcast(t.parameter[d]);
#pragma GCC unroll 4
        for (int u = 0; u < kCount; ++u) {
          run[u] = fma(weight, leaky(lane + broadcast(rows[u * t.row_stride + d])), run[u]);
        }
      }
#pragma GCC unroll 4
      for (int u = 0; u < kCount; ++u) sum[u] = sum[u] + run[u];
    }
#pragma GCC unroll 4
    for (int u = 0; u < kCount; ++u) {
      store(t.raw + (first + u) * t.raw_stride + v * kLanes, sum[u]);
    }
  }

  static void gradient(const PairwiseGradient& g) {
    const PairwiseTile& t = g.tile;
    for (int d = 0; d < t.size; ++d) {
      Floats of_lanes[2] = {zeros(), zeros()};
      Floats of_weight = zeros();
      const Floats weight = broadcast(t.parameter[d]);
      for (int i = 0; i < t.rows; ++i) {
        const Floats row = broadcast(t.row_data[i * t.row_stride + d]);
        Floats of_row = zeros();
        for (int v = 0; v < t.vectors; ++v) {
          const Floats x = load(t.lane_data + d * kPanel + v * kLanes) + row;
          const Floats grad = load(t.raw + i * t.raw_stride + v * kLanes);
          const Floats down = select(less(zeros(), x), grad, grad * broadcast(kSlope));
          of_row = of_row + down;
          of_lanes[v] = of_lanes[v] + down;
          // A pair that is not allowed has grad 0, and nothing of it may be read.
          of_weight = of_weight + select(equal(grad, zeros()), zeros(), grad * leaky(x));
        }
        g.grad_rows[i * g.grad_rows_stride + d] += sum_lanes(of_row * weight);
      }
      for (int v = 0; v < t.vectors; ++v) {
        float* to = g.grad_lanes + d * kPanel + v * kLanes;
        store(to, fma(of_lanes[v], weight, load(to)));
      }
      if (g.grad_parameter != nullptr) g.grad_parameter[d] += sum_lanes(of_weight);
    }
  }
};

}  // namespace heed::kernels::HEED_ISA
