// Σ_d v_d tanh(q_d + k_d)  (Bahdanau et al. 2015, "Neural machine translation by jointly learning
// to align and translate"; the projections of q and k belong to the layer above).
//
//   tanh(q + k) = 1 − 2 r,   r = 1 / (1 + e^{2q} · e^{2k}),   1 − tanh² = 4 r (1 − r)
//
// with one exponential a token and element, not a pair, and one division for two elements of a
// score. That is exact to a few 1e−8 of v_d as long as the product neither overflows nor loses an
// operand; |q_d| + |k_d| ≤ 21.5 makes sure, and keeps the product of two denominators finite. Rows
// beyond that (NaN and infinities among them) take tanh of the sum, pair by pair.
// Tiles of small numbers go another way: additive_small.h.
#pragma once

#include "heed/kernels/attention/scores/additive_small.h"

namespace heed::kernels::HEED_ISA {

struct Additive {
  static constexpr char kName[] = "additive";
  static constexpr float kMostTogether = 21.5f;
  static constexpr int kRows = AdditiveSmall::kRows;
  static constexpr int kDepth = 64;  // elements of D that stand in cache

  // e^{2x}, to 2 ulp. Beyond the range in which it is used it stays finite.
  static HEED_INLINE Floats exp_of_twice(Floats x) {
    const Floats y = min(broadcast(80.0f), max(broadcast(-80.0f), x + x));
    const Floats shift = broadcast(12582912.0f);  // 1.5 · 2^23
    const Floats shifted = fma(y, broadcast(kLog2E), shift);
    const Floats n = shifted - shift;
    // n · 0.693359375 is exact.
    Floats rest = fma(n, broadcast(-0.693359375f), y);
    rest = fma(n, broadcast(2.12194440e-4f), rest);
    return as_floats(as_words(exp2(rest * kLog2E)) + (as_words(shifted) << 23));
  }

  // e^{2x} and tanh x.
  static void prepare(const float* in, int64_t count, float* out) {
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      store(out + i, exp_of_twice(load(in + i)));
      store(out + count + i, tanh(load(in + i)));
    }
    const int rest = static_cast<int>(count - i);
    if (rest == 0) return;
    store_first(out + i, exp_of_twice(load_first(in + i, rest)), rest);
    store_first(out + count + i, tanh(load_first(in + i, rest)), rest);
  }

  // ---- range ----

  // The bits of the largest magnitude; NaN is larger than all.
  static HEED_INLINE Words larger(Words a, Words b) { return a > b ? a : b; }
  static HEED_INLINE float largest_of(Words bits) {
    uint32_t most = 0;
    for (int i = 0; i < kLanes; ++i) most = bits[i] > most ? bits[i] : most;
    return __builtin_bit_cast(float, most);
  }
  static HEED_INLINE Words magnitude(Floats x) { return as_words(abs(x)); }

  static float largest_lane(const PairwiseTile& t) {
    Words most{};
    for (int d = 0; d < t.size; ++d) {
      for (int v = 0; v < t.vectors; ++v) {
        most = larger(most, magnitude(load(t.lane_data + d * kPanel + v * kLanes)));
      }
    }
    return largest_of(most);
  }
  static float largest_row(const PairwiseTile& t, int first, int end) {
    Words most{};
    for (int i = first; i < end; ++i) {
      const float* row = t.row_data + i * t.row_stride;
      int d = 0;
      for (; d + kLanes <= t.size; d += kLanes) most = larger(most, magnitude(load(row + d)));
      if (d < t.size) most = larger(most, magnitude(load_first(row + d, t.size - d)));
    }
    return largest_of(most);
  }
  static HEED_INLINE bool fits(float row, float lane) { return row + lane <= kMostTogether; }
  static bool is_small(const PairwiseTile& t, float lane) {
    return lane <= AdditiveSmall::kMost && largest_row(t, 0, t.rows) <= AdditiveSmall::kMost;
  }

  // ---- score ----

  // How a pair is scored. That follows from the largest numbers of its query and of its key alone,
  // never from their neighbours in a tile: the forward pass has the queries in the lanes, the
  // backward pass the keys, and both must give a pair the same bits.
  enum class Way : uint8_t { kSmall, kFast, kCareful, kMixed };

  // The largest magnitude in each lane, and the least and most of those in each vector.
  struct LaneSizes {
    float of[kPanel];
    float least[2];
    float most[2];
  };
  static void measure_lanes(const PairwiseTile& t, LaneSizes& sizes) {
    for (int v = 0; v < t.vectors; ++v) {
      Words most{};
      for (int d = 0; d < t.size; ++d) {
        most = larger(most, magnitude(load(t.lane_data + d * kPanel + v * kLanes)));
      }
      store(sizes.of + v * kLanes, as_floats(most));
      sizes.most[v] = largest_of(most);
      uint32_t least = most[0];
      for (int i = 1; i < kLanes; ++i) least = most[i] < least ? most[i] : least;
      sizes.least[v] = __builtin_bit_cast(float, least);
    }
  }

  // kMixed where the lanes of the vector are not all scored in one way.
  static Way way_of(float row, float least, float most) {
    if (row < AdditiveSmall::kMost && least < AdditiveSmall::kMost) {
      return most < AdditiveSmall::kMost ? Way::kSmall : Way::kMixed;
    }
    if (row + most < kMostTogether) return Way::kFast;
    return row + least < kMostTogether ? Way::kMixed : Way::kCareful;
  }

  static void score(const PairwiseTile& t) {
    LaneSizes lanes;
    measure_lanes(t, lanes);
    for (int i = 0; i < t.rows; i += kRows) {
      const int count = t.rows - i < kRows ? t.rows - i : kRows;
      float rows[kRows];
      for (int u = 0; u < count; ++u) rows[u] = largest_row(t, i + u, i + u + 1);
      for (int v = 0; v < t.vectors; ++v) {
        Way ways[kRows];
        bool together = count == kRows;
        for (int u = 0; u < count; ++u) {
          ways[u] = way_of(rows[u], lanes.least[v], lanes.most[v]);
          together = together && ways[u] == ways[0] && ways[u] != Way::kMixed;
        }
        if (together) {
          scores_of<kRows>(ways[0], t, i, v);
          continue;
        }
        for (int u = 0; u < count; ++u) {
          if (ways[u] == Way::kMixed) {
            mixed_score(t, i + u, v, rows[u], lanes);
          } else {
            scores_of<1>(ways[u], t, i + u, v);
          }
        }
      }
    }
  }

  template <int kCount>
  static HEED_INLINE void scores_of(Way way, const PairwiseTile& t, int first, int v) {
    for (int d = 0; d < t.size; d += AdditiveSmall::kRun) {
      if (way == Way::kSmall) {
        AdditiveSmall::scores<kCount>(t, first, v, d);
      } else if (way == Way::kFast) {
        fast_scores<kCount>(t, first, v, d);
      } else {
        for (int u = 0; u < kCount; ++u) careful_score(t, first + u, v, d);
      }
    }
  }

  // Every way that some lane needs, and of each lane its own.
  static void mixed_score(const PairwiseTile& t, int row, int v, float size,
                          const LaneSizes& lanes) {
    float* to = t.raw + row * t.raw_stride + v * kLanes;
    const Floats of = load(lanes.of + v * kLanes);
    Floats result = zeros();
    if (!(size + lanes.most[v] < kMostTogether)) {
      scores_of<1>(Way::kCareful, t, row, v);
      result = load(to);
    }
    if (size + lanes.least[v] < kMostTogether) {
      scores_of<1>(Way::kFast, t, row, v);
      result = select(less(of + broadcast(size), broadcast(kMostTogether)), load(to), result);
    }
    if (size < AdditiveSmall::kMost && lanes.least[v] < AdditiveSmall::kMost) {
      scores_of<1>(Way::kSmall, t, row, v);
      result = select(less(of, broadcast(AdditiveSmall::kMost)), load(to), result);
    }
    store(to, result);
  }

  // v − 2 v r is taken for each pair of elements, not once for all of them: Σ v and 2 Σ v r are
  // both much larger than what is left of them.
  template <int kCount>
  static HEED_INLINE void fast_scores(const PairwiseTile& t, int first, int v, int begin) {
    const int end = begin + AdditiveSmall::kRun < t.size ? begin + AdditiveSmall::kRun : t.size;
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
    AdditiveSmall::add_run(t, first, v, begin, sum);
  }

  static void careful_score(const PairwiseTile& t, int row, int v, int begin) {
    const int end = begin + AdditiveSmall::kRun < t.size ? begin + AdditiveSmall::kRun : t.size;
    Floats sum[1] = {zeros()};
    for (int d = begin; d < end; ++d) {
      const Floats x = load(t.lane_data + d * kPanel + v * kLanes) +
                       broadcast(t.row_data[row * t.row_stride + d]);
      sum[0] = fma(broadcast(t.parameter[d]), tanh(x), sum[0]);
    }
    AdditiveSmall::add_run(t, row, v, begin, sum);
  }

  // ---- gradient ----

  // Some rows of the tile and their gradients, zeros for rows that are not there.
  struct RowGroup {
    const float* data[kRows];
    const float* prepared[kRows];
    float grads[kRows][kPanel];
    int first;
    int count;
    Way way;
  };

  static void take_rows(const PairwiseTile& t, int first, float lane, RowGroup& g) {
    g.first = first;
    g.count = t.rows - first < kRows ? t.rows - first : kRows;
    g.way = fits(largest_row(t, first, first + g.count), lane) ? Way::kFast : Way::kCareful;
    for (int u = 0; u < kRows; ++u) {
      const int row = first + (u < g.count ? u : g.count - 1);
      g.data[u] = t.row_data + row * t.row_stride;
      g.prepared[u] = t.row_prepared + row * t.row_prepared_stride;
      for (int v = 0; v < t.vectors; ++v) {
        const Floats grad = load(t.raw + row * t.raw_stride + v * kLanes);
        store(g.grads[u] + v * kLanes, u < g.count ? grad : zeros());
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
  static HEED_INLINE Parts careful_parts(Floats lane, float row, Floats grad) {
    const Floats x = lane + broadcast(row);
    const Floats e = exp_of_twice(-abs(x));
    const Floats r = broadcast(1) / (broadcast(1) + e);
    const Floats rest = r * select(less(x, zeros()), broadcast(1), e);
    // A pair that is not allowed has grad 0, and nothing of it may be read.
    const Mask dead = equal(grad, zeros());
    return {select(dead, zeros(), grad * e * r * r), select(dead, zeros(), grad * rest)};
  }
  template <Way kWay>
  static HEED_INLINE Parts parts_of(Floats lane, float row, Floats grad) {
    if constexpr (kWay == Way::kSmall) return small_parts(lane, row, grad);
    if constexpr (kWay == Way::kFast) return fast_parts(lane, row, grad);
    return careful_parts(lane, row, grad);
  }
  // What Parts::slope still lacks.
  static HEED_INLINE float slope_factor(Way way) { return way == Way::kSmall ? 1.0f : 4.0f; }

  // What parts_of() reads of a lane and of each row, from element `begin` on.
  struct Elements {
    const float* lanes;
    const float* rows[kRows];
  };

  // Elements [begin, end) of D: adds to the lanes' gradients, leaves the rows' in row_sums[d][u]
  // and adds what the parameter needs to rests[d].
  template <int kVectors, Way kWay>
  static HEED_INLINE void gradient_block(const PairwiseGradient& g, const RowGroup& rows,
                                         const Elements& elements, int begin, int end,
                                         float (&row_sums)[kDepth][kLanes],
                                         float (&rests)[kDepth][kLanes]) {
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
      store(rests[i], load(rests[i]) + rest);
    }
  }

  template <int kVectors>
  static HEED_INLINE void gradient_block_of(const PairwiseGradient& g, const RowGroup& rows,
                                            const Elements& elements, int begin, int end,
                                            float (&row_sums)[kDepth][kLanes],
                                            float (&rests)[kDepth][kLanes]) {
    switch (rows.way) {
      case Way::kSmall:
        return gradient_block<kVectors, Way::kSmall>(g, rows, elements, begin, end, row_sums,
                                                     rests);
      case Way::kFast:
        return gradient_block<kVectors, Way::kFast>(g, rows, elements, begin, end, row_sums, rests);
      default:
        return gradient_block<kVectors, Way::kCareful>(g, rows, elements, begin, end, row_sums,
                                                       rests);
    }
  }

  static Elements elements_of(const PairwiseTile& t, const RowGroup& rows, int begin) {
    const float* lanes = rows.way == Way::kSmall  ? AdditiveSmall::lane_tanhs(t)
                         : rows.way == Way::kFast ? t.lane_prepared
                                                  : t.lane_data;
    Elements e;
    e.lanes = lanes + begin * kPanel;
    for (int u = 0; u < kRows; ++u) {
      const float* prepared = rows.prepared[u];
      const float* row = rows.way == Way::kSmall  ? prepared + t.row_prepared_stride / 2
                         : rows.way == Way::kFast ? prepared
                                                  : rows.data[u];
      e.rows[u] = row + begin;
    }
    return e;
  }

  static void gradient_rows(const PairwiseGradient& g, const RowGroup& rows,
                            const Elements& elements, int begin, int end,
                            float (&rests)[kDepth][kLanes]) {
    float row_sums[kDepth][kLanes];
    if (g.tile.vectors == 2) {
      gradient_block_of<2>(g, rows, elements, begin, end, row_sums, rests);
    } else {
      gradient_block_of<1>(g, rows, elements, begin, end, row_sums, rests);
    }
    for (int u = 0; u < rows.count; ++u) {
      float* to = g.grad_rows + (rows.first + u) * g.grad_rows_stride;
      for (int d = begin; d < end; ++d) {
        to[d] += slope_factor(rows.way) * g.tile.parameter[d] * row_sums[d - begin][u];
      }
    }
  }

  static void gradient(const PairwiseGradient& g) {
    const float lane = largest_lane(g.tile);
    const bool small = is_small(g.tile, lane);
    RowGroup rows;
    for (int begin = 0; begin < g.tile.size; begin += kDepth) {
      const int end = begin + kDepth < g.tile.size ? begin + kDepth : g.tile.size;
      float rests[kDepth][kLanes] = {};
      Floats all = zeros();  // Σ grad
      for (int i = 0; i < g.tile.rows; i += kRows) {
        take_rows(g.tile, i, lane, rows);
        if (small) rows.way = Way::kSmall;
        for (int u = 0; u < rows.count; ++u) {
          for (int v = 0; v < g.tile.vectors; ++v) all = all + load(rows.grads[u] + v * kLanes);
        }
        const Elements elements = elements_of(g.tile, rows, begin);
        gradient_rows(g, rows, elements, begin, end, rests);
      }
      if (g.grad_parameter == nullptr) continue;
      for (int d = begin; d < end; ++d) {
        const Floats rest = load(rests[d - begin]);
        // Σ grad · tanh = Σ grad − 2 Σ grad · (1 − tanh) / 2, where it is not there already.
        g.grad_parameter[d] += sum_lanes(small ? rest : fma(rest, broadcast(-2.0f), all));
      }
    }
  }
};

}  // namespace heed::kernels::HEED_ISA
