// Packing of operands into panels. For gemm_leaf.h only.
#pragma once

#include "heed/kernels/matrix/gemm_table.h"
#include "heed/kernels/vector/typed_rows_leaf.h"

namespace heed::kernels::HEED_ISA {
namespace {

// kHalves: the source is bfloat16 (else float32). kPairs: words are pairs of bfloat16 (else
// float32).

// kLanes words along the depth of one row, the elements beyond `count` being 0.
template <bool kHalves, bool kPairs>
HEED_INLINE Words depth_words(const void* from, int64_t element, int64_t count) {
  constexpr int kElements = kPairs ? 2 * kLanes : kLanes;
  constexpr int kBytes = kHalves ? 2 : 4;
  const char* at = static_cast<const char*>(from) + element * kBytes;
  char buffer[kElements * kBytes];
  if (count < kElements) {
    for (int i = 0; i < kElements * kBytes; ++i) buffer[i] = 0;
    for (int64_t i = 0; i < count * kBytes; ++i) buffer[i] = at[i];
    at = buffer;
  }
  if constexpr (kHalves == kPairs) {
    return load_words(at);
  } else if constexpr (kHalves) {
    return as_words(load_bfloat16(reinterpret_cast<const uint16_t*>(at)));
  } else {
    const float* floats = reinterpret_cast<const float*>(at);
    uint16_t halves[2 * kLanes];
    store_bfloat16(halves, load(floats));
    store_bfloat16(halves + kLanes, load(floats + kLanes));
    return load_words(halves);
  }
}

// Rows lie along the depth: blocks of kLanes rows by kLanes words are transposed. A panel narrower
// than a vector is written vector by vector all the same: what is too much the next word
// overwrites, and behind the last there is room.
template <bool kHalves, bool kPairs>
HEED_INLINE void transpose_panel(const GemmPack& p, int64_t begin, uint32_t* panel) {
  constexpr int kElements = kPairs ? 2 * kLanes : kLanes;
  const int64_t words = kPairs ? (p.depth + 1) / 2 : p.depth;
  for (int first = 0; first < p.panel_width; first += kLanes) {
    const int64_t row = begin + first;
    const int64_t left_rows =
        begin + p.panel_width < p.width ? p.panel_width - first : p.width - row;
    for (int64_t word = 0; word < words; word += kLanes) {
      const int64_t element = kPairs ? 2 * word : word;
      const int64_t left = p.depth - element;
      const int64_t count = left < kElements ? left : kElements;
      Words rows[kLanes];
#pragma GCC unroll 16
      for (int i = 0; i < kLanes; ++i) {
        rows[i] = Words{};
        if (i < left_rows) {
          rows[i] =
              depth_words<kHalves, kPairs>(p.data, (row + i) * p.width_stride + element, count);
        }
      }
      transpose(rows);
      const int64_t last = words - word < kLanes ? words - word : kLanes;
      for (int64_t i = 0; i < last; ++i) {
        store_words(panel + (word + i) * p.panel_width + first, rows[i]);
      }
    }
  }
}

template <bool kHalves, bool kPairs>
void pack_along_depth(const GemmPack& p) {
  uint32_t* panel = p.to;
  for (int64_t begin = 0; begin < p.width; begin += p.panel_width, panel += p.panel_words) {
    transpose_panel<kHalves, kPairs>(p, begin, panel);
  }
}

// `count` elements of one depth as float32.
template <bool kHalves>
HEED_INLINE Floats width_floats(const void* from, int64_t element, int count) {
  if constexpr (kHalves) {
    return load_some(static_cast<const uint16_t*>(from) + element, count);
  } else {
    const float* at = static_cast<const float*>(from) + element;
    return count == kLanes ? load(at) : load_first(at, count);
  }
}

// One word of kLanes rows that lie across the depth, from `element` on: what is there, or a pair
// with what is there at the next depth.
template <bool kHalves, bool kPairs>
HEED_INLINE Words width_words(const GemmPack& p, int64_t element, int64_t k, int count) {
  const Floats low = width_floats<kHalves>(p.data, element + k * p.depth_stride, count);
  if constexpr (!kPairs) return as_words(low);
  Floats high = zeros();
  if (k + 1 < p.depth) {
    high = width_floats<kHalves>(p.data, element + (k + 1) * p.depth_stride, count);
  }
  // A bfloat16 is the upper half of its float32.
  if constexpr (kHalves) return (as_words(low) >> 16) | as_words(high);
  return bfloat16_words(low) | (bfloat16_words(high) << 16);
}

// Goes through memory depth by depth, all panels at once: long runs, where a panel alone would be
// a short piece of each of many pages. Written vector by vector like above.
template <bool kHalves, bool kPairs>
void pack_along_width(const GemmPack& task) {
  constexpr int kStep = kPairs ? 2 : 1;
  // Depths ahead that are fetched early: rows are often a page apart, where the CPU guesses
  // nothing.
  constexpr int64_t kAhead = 16;
  const GemmPack p = task;  // a copy: stores of words could change the task itself
  const int64_t vectors = (p.panel_width + kLanes - 1) / kLanes;
  int64_t whole = p.width / p.panel_width;
  while (whole > 0 && (whole - 1) * p.panel_width + vectors * kLanes > p.readable) --whole;
  const char* const data = static_cast<const char*>(p.data);
  const int64_t row_bytes = p.depth_stride * (kHalves ? 2 : 4);
  const int64_t fetched_bytes = whole * p.panel_width * (kHalves ? 2 : 4);
  uint32_t* to = p.to;
  for (int64_t k = 0; k < p.depth; k += kStep, to += p.panel_width) {
    for (int step = 0; step < kStep; ++step) {
      const char* ahead = data + (k + step + kAhead) * row_bytes;
      for (int64_t byte = 0; byte < fetched_bytes; byte += 64) __builtin_prefetch(ahead + byte);
    }
    for (int64_t i = 0; i < whole; ++i) {
      for (int64_t v = 0; v < vectors; ++v) {
        store_words(to + i * p.panel_words + v * kLanes,
                    width_words<kHalves, kPairs>(p, i * p.panel_width + v * kLanes, k, kLanes));
      }
    }
  }
  for (int64_t i = whole; i * p.panel_width < p.width; ++i) {
    to = p.to + i * p.panel_words;
    const int64_t begin = i * p.panel_width;
    for (int64_t k = 0; k < p.depth; k += kStep, to += p.panel_width) {
      for (int64_t v = 0; v < vectors; ++v) {
        const int64_t left = p.width - begin - v * kLanes;
        const int count = left <= 0 ? 0 : left < kLanes ? static_cast<int>(left) : kLanes;
        store_words(
            to + v * kLanes,
            count == 0 ? Words{} : width_words<kHalves, kPairs>(p, begin + v * kLanes, k, count));
      }
    }
  }
}

template <bool kHalves, bool kPairs>
void pack_typed(const GemmPack& p) {
  if (p.width_stride == 1) {
    pack_along_width<kHalves, kPairs>(p);
  } else {
    pack_along_depth<kHalves, kPairs>(p);
  }
}

void pack(const GemmPack& p) {
  const bool halves = p.type == DataType::kBFloat16;
#if defined(__AVX512BF16__)
  if (p.pairs) return halves ? pack_typed<true, true>(p) : pack_typed<false, true>(p);
#endif
  return halves ? pack_typed<true, false>(p) : pack_typed<false, false>(p);
}

// In short stretches that are added up afterwards, which keeps rounding errors small, and in
// several chains, which hides the latency of an addition.
template <int kWidth>
void row_sums(const GemmRowSums& task) {
  static_assert(kWidth <= kLanes);
  constexpr int kChains = 4;
  constexpr int64_t kStretch = 16 * kChains;
  Floats total = load_first(task.sums, task.count);
  for (int64_t begin = 0; begin < task.words; begin += kStretch) {
    const int64_t end = begin + kStretch < task.words ? begin + kStretch : task.words;
    Floats sums[kChains] = {};
    for (int64_t word = begin; word < end; word += kChains) {
#pragma GCC unroll 4
      for (int i = 0; i < kChains; ++i) {
        if (word + i >= end) break;
        const Words words = load_words(task.panel + (word + i) * kWidth);
        sums[i] +=
            task.pairs ? as_floats(words << 16) + as_floats(words & 0xffff0000u) : as_floats(words);
      }
    }
    total += (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }
  store_first(task.sums, total, task.count);
}

}  // namespace
}  // namespace heed::kernels::HEED_ISA
