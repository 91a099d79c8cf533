// Between the products of a tile and its softmax: scale, score, softcap, bias, mask; and back.
// The templates here make the list of scores (see score.h) as the tile engine calls them.
#pragma once

#include "heed/kernels/attention/scores/modifiers_leaf.h"
#include "heed/kernels/attention/scores/score_list_leaf.h"
#include "heed/kernels/attention/tiles/copy_leaf.h"
#include "heed/kernels/vector/simd_math_leaf.h"

namespace heed::kernels::HEED_ISA {

// ---- bias ----

HEED_INLINE int64_t clamped(int64_t x, int64_t low, int64_t high) {
  return x < low ? low : (x > high ? high : x);
}

// Entries in HeadScore::relative.
HEED_INLINE int64_t relative_entries(const HeadScore& score) {
  return 2 * (score.reach + kMaxPanel) + 1;
}
// Where the vector whose first lane is at `distance` begins in HeadScore::relative, where distance
// grows along the lanes.
HEED_INLINE int64_t relative_start(const HeadScore& score, int64_t distance) {
  return clamped(distance + score.reach + kMaxPanel, 0, relative_entries(score) - kLanes);
}
// The same in relative_reversed, where distance falls along the lanes.
HEED_INLINE int64_t relative_reversed_start(const HeadScore& score, int64_t distance) {
  const int64_t last = relative_entries(score) - 1;
  return clamped(last - (distance + score.reach + kMaxPanel), 0, last + 1 - kLanes);
}

// |j − p(i)| of the lanes, of which the first is at `distance`: where the lanes are keys, and where
// they are queries.
HEED_INLINE Floats distances_rising(int64_t distance) {
  return abs(broadcast(static_cast<float>(distance)) +
             __builtin_convertvector(lane_numbers(), Floats));
}
HEED_INLINE Floats distances_falling(int64_t distance) {
  return abs(broadcast(static_cast<float>(distance)) -
             __builtin_convertvector(lane_numbers(), Floats));
}

// bias[key][lane] for the panel's queries: blocks of the dense bias, transposed.
inline void load_dense_transposed(const DenseBias& dense, const ForwardPanel& panel,
                                  const ForwardKeys& keys, float* bias) {
  const int64_t first = panel.query * dense.row + keys.key;
  if (dense.type == DataType::kFloat32) {
    const float* data = static_cast<const float*>(dense.data) + first;
    transpose_panel(panel.lanes, keys.count, bias,
                    [&](int row, int j, int left) HEED_INLINE_LAMBDA {
                      const float* p = data + row * dense.row + j;
                      return as_words(left == kLanes ? load(p) : load_first(p, left));
                    });
  } else {
    transpose_panel(
        panel.lanes, keys.count, bias, [&](int row, int j, int left) HEED_INLINE_LAMBDA {
          return as_words(
              read_typed(dense.data, DataType::kBFloat16, first + row * dense.row + j, left));
        });
  }
}

// The scores must come out the same in both directions, to the bit: the backward pass takes the
// weights from the log-sum-exp of the forward pass. So both do the same operations in one order.

// ---- forward: lanes are queries, rows keys ----

template <typename Score>
void finish_forward(const ForwardTile& t, const ForwardPanel& panel, const ForwardKeys& keys,
                    float* maximum) {
  const HeadScore& score = *t.score;
  if (score.dense.data != nullptr) load_dense_transposed(score.dense, panel, keys, t.bias);
  const ModifiedScore modified(score.modifiers, kLog2E);
  const Floats parameter = broadcast(Score::kParameters > 0 ? *score.parameter : 0.0f);
  for (int v = 0; v < panel.vectors; ++v) {
    Floats top = broadcast(-__builtin_inff());
    Floats query_term = zeros();
    if (Score::kHasTerms) {
      const int count = panel.lanes - v * kLanes;
      query_term =
          load_first(score.query_terms + panel.query + v * kLanes, count < kLanes ? count : kLanes);
    }
    for (int j = 0; j < keys.count; ++j) {
      float* at = t.scores + j * kPanel + v * kLanes;
      Floats key_term = zeros();
      if (Score::kHasTerms) key_term = broadcast(score.key_terms[keys.key + j]);
      const int64_t distance =
          keys.key + j - panel.query - v * kLanes - score.query_offset;  // of the first lane
      const Floats bias = modified.bias(
          [&]() HEED_INLINE_LAMBDA { return distances_falling(distance); },
          [&]() HEED_INLINE_LAMBDA {
            return load(score.relative_reversed + relative_reversed_start(score, distance));
          },
          [&]() HEED_INLINE_LAMBDA { return load(t.bias + j * kPanel + v * kLanes); });
      Floats x = modified.score(Score::value(load(at), query_term, key_term, parameter), bias);
      if (t.masks != nullptr) {
        x = select(mask_of_bits(t.masks[j] >> (v * kLanes)), x, broadcast(-__builtin_inff()));
      }
      top = max(top, x);
      store(at, x);
    }
    store(maximum + v * kLanes, top);
  }
}

// ---- backward: lanes are keys, rows queries ----

// What the score of a (query, lane) pair is made of, in the backward layout.
template <typename Score>
struct BackwardTerms {
  Floats key_term[2];
  Floats parameter;

  HEED_INLINE BackwardTerms(const HeadScore& score, const BackwardKeys& keys, int panel) {
    parameter = broadcast(Score::kParameters > 0 ? *score.parameter : 0.0f);
    for (int v = 0; v < 2; ++v) {
      key_term[v] = zeros();
      const int first = panel * kPanel + v * kLanes;
      const int count = keys.count - first;
      if (Score::kHasTerms && count > 0) {
        key_term[v] =
            load_first(score.key_terms + keys.key + first, count < kLanes ? count : kLanes);
      }
    }
  }
  HEED_INLINE Floats query_term(const HeadScore& score, int64_t query) const {
    return Score::kHasTerms ? broadcast(score.query_terms[query]) : zeros();
  }
};

template <typename Score>
void finish_backward(const BackwardTile& t, const BackwardQueries& queries,
                     const BackwardKeys& keys, int panel, int first_row, int end_row) {
  const HeadScore& score = *t.score;
  const BackwardTerms<Score> terms(score, keys, panel);
  const ModifiedScore modified(score.modifiers, kLog2E);
  for (int i = first_row; i < end_row; ++i) {
    const Floats query_term = terms.query_term(score, queries.query + i);
    for (int v = 0; v < 2; ++v) {
      const int first = panel * kPanel + v * kLanes;
      const int left = keys.count - first;
      if (left <= 0) break;
      const int at = i * kPanel + v * kLanes;
      const Floats raw = load(t.weights + at);
      if (!Score::kIsIdentity) store(t.raws + at, raw);
      const int64_t distance = keys.key + first - (queries.query + i) - score.query_offset;
      const Floats bias = modified.bias(
          [&]() HEED_INLINE_LAMBDA { return distances_rising(distance); },
          [&]()
              HEED_INLINE_LAMBDA { return load(score.relative + relative_start(score, distance)); },
          [&]() HEED_INLINE_LAMBDA {
            const int64_t at_bias = (queries.query + i) * score.dense.row + keys.key + first;
            return read_typed(score.dense.data, score.dense.type, at_bias, left);
          });
      const Floats value = Score::value(raw, query_term, terms.key_term[v], terms.parameter);
      Floats slope;
      const Floats x = modified.score(value, bias, slope);
      if (modified.is_capped()) store(t.slopes + at, slope);
      store(t.weights + at, x);
    }
  }
}

// Whether a vector of pairs lies wholly beyond the reach, so that all add to one entry.
enum class Beyond : uint8_t { kNo, kBelow, kAbove };
HEED_INLINE Beyond beyond_reach(const HeadScore& score, int64_t distance) {
  if (distance + kLanes - 1 <= -score.reach) return Beyond::kBelow;
  return distance >= score.reach ? Beyond::kAbove : Beyond::kNo;
}

// Sums over dS for the biases, in the layout of the tile.
inline void add_bias_gradients(const BackwardTile& t, const BackwardQueries& queries,
                               const BackwardKeys& keys, int panel, int first_row, int end_row) {
  const HeadScore& score = *t.score;
  CarefulSum alibi, below, above;
  for (int i = first_row; i < end_row; ++i) {
    for (int v = 0; v < 2; ++v) {
      const int first = panel * kPanel + v * kLanes;
      if (first >= keys.count) break;
      const Floats grad = load(t.grads + i * kPanel + v * kLanes);
      const int64_t distance = keys.key + first - (queries.query + i) - score.query_offset;
      if (t.sums.alibi != nullptr) {
        alibi.add(alibi_gradient(grad, distances_rising(distance)));
      }
      if (t.sums.relative != nullptr) {
        const Beyond beyond = beyond_reach(score, distance);
        if (beyond == Beyond::kBelow) {
          below.add(grad);
        } else if (beyond == Beyond::kAbove) {
          above.add(grad);
        } else {
          float* at = t.sums.relative + relative_start(score, distance);
          store(at, load(at) + grad);
        }
      }
      if (t.sums.dense != nullptr) store(t.sums.dense + i * kBackwardKeys + first, grad);
    }
  }
  if (t.sums.alibi != nullptr) *t.sums.alibi += static_cast<float>(alibi.total());
  if (t.sums.relative != nullptr) {
    *t.sums.relative_below += below.total();
    *t.sums.relative_above += above.total();
  }
}

// From dS in t.grads: the gradients of bias, terms and parameter; then dS times the slope of the
// score, except for the scale, which is multiplied in at the end.
template <typename Score>
void finish_gradient(const BackwardTile& t, const BackwardQueries& queries,
                     const BackwardKeys& keys, int panel, int first_row, int end_row) {
  add_bias_gradients(t, queries, keys, panel, first_row, end_row);
  const HeadScore& score = *t.score;
  const bool capped = score.modifiers.softcap > 0;
  if (Score::kIsIdentity && !capped) return;
  const BackwardTerms<Score> terms(score, keys, panel);
  CarefulSum of_parameter;
  Floats of_keys[2] = {zeros(), zeros()};
  for (int i = first_row; i < end_row; ++i) {
    const Floats query_term = terms.query_term(score, queries.query + i);
    Floats of_query = zeros();
    for (int v = 0; v < 2; ++v) {
      if (panel * kPanel + v * kLanes >= keys.count) break;
      const int at = i * kPanel + v * kLanes;
      Floats grad = load(t.grads + at);
      if (capped) grad = grad * load(t.slopes + at);
      if (!Score::kIsIdentity) {
        const ScoreSlopes slopes =
            Score::slopes(load(t.raws + at), query_term, terms.key_term[v], terms.parameter);
        Floats of_pair_parameter = grad * slopes.parameter;
        Floats of_pair_query = grad * slopes.query_term;
        Floats of_pair_key = grad * slopes.key_term;
        const Floats of_raw = grad * slopes.raw;
        if (t.masks != nullptr) {
          // A pair that is not allowed has grad 0, and nothing of it may be read.
          const Mask dead = equal(grad, zeros());
          of_pair_parameter = select(dead, zeros(), of_pair_parameter);
          of_pair_query = select(dead, zeros(), of_pair_query);
          of_pair_key = select(dead, zeros(), of_pair_key);
          grad = select(dead, zeros(), of_raw);
        } else {
          grad = of_raw;
        }
        if (Score::kParameters > 0) of_parameter.add(of_pair_parameter);
        of_query = of_query + of_pair_query;
        of_keys[v] = of_keys[v] + of_pair_key;
      }
      store(t.grads + at, grad);
    }
    if (Score::kHasTerms && t.sums.query_terms != nullptr) {
      t.sums.query_terms[i] += sum_lanes(of_query);
    }
  }
  if (Score::kHasTerms && t.sums.key_terms != nullptr) {
    for (int v = 0; v < 2; ++v) {
      float* at = t.sums.key_terms + panel * kPanel + v * kLanes;
      store(at, load(at) + of_keys[v]);
    }
  }
  if (Score::kParameters > 0 && t.sums.parameter != nullptr) {
    *t.sums.parameter += static_cast<float>(of_parameter.total());
  }
}

// ---- the scores as the engine calls them ----

// The raw value of a pairwise score is the score.
struct PairwiseValue {
  static constexpr bool kIsIdentity = true;
  static constexpr bool kHasTerms = false;
  static constexpr int kParameters = 0;
  static HEED_INLINE Floats value(Floats raw, Floats, Floats, Floats) { return raw; }
  static HEED_INLINE ScoreSlopes slopes(Floats, Floats, Floats, Floats) {
    return {broadcast(1), zeros(), zeros(), zeros()};
  }
};

template <typename Value>
constexpr void finish_with(TileScore& s) {
  s.finish_forward = finish_forward<Value>;
  s.finish_backward = finish_backward<Value>;
  s.finish_gradient = finish_gradient<Value>;
}

template <typename Score>
constexpr TileScore tile_product_score() {
  TileScore s;
  describe_product_score<Score>(s);
  finish_with<Score>(s);
  return s;
}

template <typename Score>
constexpr TileScore tile_pairwise_score() {
  TileScore s;
  describe_pairwise_score<Score>(s);
  finish_with<PairwiseValue>(s);
  return s;
}

#define PRODUCT_SCORE(Score) tile_product_score<Score>()
#define PAIRWISE_SCORE(Score) tile_pairwise_score<Score>()
inline constexpr TileScore kTileScores[] = {HEED_SCORE_LIST};
#undef PRODUCT_SCORE
#undef PAIRWISE_SCORE

}  // namespace heed::kernels::HEED_ISA
