// One panel of keys of a backward tile, and which of its pairs count.
#pragma once

#include "heed/kernels/attention/tiles/copy_leaf.h"
#include "heed/kernels/attention/tiles/tile.h"
#include "heed/kernels/vector/simd_math_leaf.h"

namespace heed::kernels::HEED_ISA {

// What one panel of the tile consists of.
struct PanelView {
  int index;
  int first_key;  // in the block
  int keys;       // how many lanes hold one
  int vectors;
  int begin;  // live rows; even, and end is even or the count
  int end;
  bool masked;          // whether some lane of a live row counts for nothing
  Words columns[2][2];  // [half of the queries][vector]: bit i of a lane: query i may attend
};

inline PanelView view_panel(const BackwardTile& t, const BackwardQueries& queries,
                            const BackwardKeys& keys, int index) {
  PanelView p;
  p.index = index;
  p.first_key = index * kPanel;
  p.keys = keys.count - p.first_key < kPanel ? keys.count - p.first_key : kPanel;
  p.vectors = (p.keys + kLanes - 1) / kLanes;
  p.begin = 0;
  p.end = queries.count;
  p.masked = t.masks != nullptr || p.keys < p.vectors * kLanes;
  if (!p.masked) return p;
  const uint64_t all = ~uint64_t{0} >> (64 - queries.count);
  uint64_t any = 0;
  uint64_t every = all;
  uint32_t halves[2][kPanel] = {};
  for (int j = 0; j < p.keys; ++j) {
    const uint64_t column = t.masks != nullptr ? t.masks[p.first_key + j] : all;
    any |= column;
    every &= column;
    halves[0][j] = static_cast<uint32_t>(column);
    halves[1][j] = static_cast<uint32_t>(column >> 32);
  }
  p.masked = every != all || p.keys < p.vectors * kLanes;
  for (int half = 0; half < 2; ++half) {
    for (int v = 0; v < 2; ++v) p.columns[half][v] = load_words(halves[half] + v * kLanes);
  }
  p.end = any == 0 ? 0 : 64 - __builtin_clzll(any);
  p.begin = any == 0 ? 0 : __builtin_ctzll(any) & ~1;
  p.end = (p.end + 1) & ~1;
  if (p.end > queries.count) p.end = queries.count;
  return p;
}

HEED_INLINE Mask live_lanes(const PanelView& p, int row, int v) {
  return test_bits(p.columns[row >> 5][v], 1u << (row & 31));
}

}  // namespace heed::kernels::HEED_ISA
