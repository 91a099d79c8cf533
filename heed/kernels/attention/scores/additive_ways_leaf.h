// How a pair of the additive score is computed (additive_leaf.h says with which formulas). That
// follows from the largest numbers of its query and of its key alone, never from their neighbours
// in a tile: the forward pass has the queries in the lanes, the backward pass the keys, and both
// must give a pair the same bits.
#pragma once

#include "heed/kernels/attention/scores/score_leaf.h"

namespace heed::kernels::HEED_ISA {

// e^{2x}, to 2 ulp. Beyond the range in which it is used it stays finite.
HEED_INLINE Floats exp_of_twice(Floats x) {
  const Floats y = min(broadcast(80.0f), max(broadcast(-80.0f), x + x));
  const Floats shift = broadcast(kRoundingShift);
  const Floats shifted = fma(y, broadcast(kLog2E), shift);
  const Floats n = shifted - shift;
  // n · 0.693359375 is exact.
  Floats rest = fma(n, broadcast(-0.693359375f), y);
  rest = fma(n, broadcast(2.12194440e-4f), rest);
  return as_floats(as_words(exp2(rest * kLog2E)) + (as_words(shifted) << 23));
}

enum class AdditiveWay : uint8_t { kSmall, kFast, kCareful, kMixed };

struct AdditiveWays {
  static constexpr float kMostSmall = 2.5f;  // of query and of key: up to here little cancels
  static constexpr float kMostFast = 21.5f;  // of both together

  // The bits of the largest magnitude; NaN is larger than all.
  static HEED_INLINE Words larger(Words a, Words b) { return a > b ? a : b; }
  static HEED_INLINE float largest_of(Words bits) {
    uint32_t most = 0;
    for (int i = 0; i < kLanes; ++i) most = bits[i] > most ? bits[i] : most;
    return __builtin_bit_cast(float, most);
  }
  static HEED_INLINE float least_of(Words bits) {
    uint32_t least = bits[0];
    for (int i = 1; i < kLanes; ++i) least = bits[i] < least ? bits[i] : least;
    return __builtin_bit_cast(float, least);
  }
  static HEED_INLINE Words magnitude(Floats x) { return as_words(abs(x)); }

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

  // The largest magnitude in each lane, the least and most of those in each vector, and the most
  // of all.
  struct Lanes {
    float of[kPanel];
    float least[2];
    float most[2];
    float most_of_all;
  };
  static void measure_lanes(const PairwiseTile& t, Lanes& lanes) {
    Words of_all{};
    for (int v = 0; v < t.vectors; ++v) {
      Words most{};
      for (int d = 0; d < t.size; ++d) {
        most = larger(most, magnitude(load(t.lane_data + d * kPanel + v * kLanes)));
      }
      store(lanes.of + v * kLanes, as_floats(most));
      lanes.most[v] = largest_of(most);
      lanes.least[v] = least_of(most);
      of_all = larger(of_all, most);
    }
    lanes.most_of_all = largest_of(of_all);
  }

  // For a row with lanes whose largest numbers are from `least` to `most`; kMixed where these are
  // not all computed in one way.
  static AdditiveWay way_of(float row, float least, float most) {
    if (row < kMostSmall && least < kMostSmall) {
      return most < kMostSmall ? AdditiveWay::kSmall : AdditiveWay::kMixed;
    }
    if (row + most < kMostFast) return AdditiveWay::kFast;
    return row + least < kMostFast ? AdditiveWay::kMixed : AdditiveWay::kCareful;
  }
  // The way that is right for all pairs of rows and lanes up to these.
  static AdditiveWay way_for_all(float rows, float lanes) { return way_of(rows, lanes, lanes); }
};

}  // namespace heed::kernels::HEED_ISA
