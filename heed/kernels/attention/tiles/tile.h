// What the scheduler of the tile engine (forward.cpp, backward.cpp; any CPU) and its leaf functions
// (tile_leaf.h; compiled once for each instruction set) say to each other: plain structs of
// pointers and numbers.
//
// A tile is a rectangle of (query, key) pairs. Scores inside the engine are in units of log2: the
// natural score times log2 e, so that the softmax is a plain exp2.
#pragma once

#include <cstdint>

#include "heed/kernels/attention/problem.h"
#include "heed/kernels/attention/scores/score.h"
#include "heed/kernels/vector/isa.h"

namespace heed::kernels {

// Query block × key block: the unit of scheduling. Fixed, because the order of additions and so
// the bits of the result depend on them.
inline constexpr int kForwardQueries = 128;
inline constexpr int kForwardKeys = 128;
inline constexpr int kBackwardQueries = 64;  // one word of Pattern::allowed
inline constexpr int kBackwardKeys = 128;
inline constexpr int kMaxPanel = 32;  // lanes of the widest panel

struct Brgemm;
struct TileScore;

// How the scores of one (batch, head) come about, beside the product itself.
struct HeadScore {
  HeadModifiers modifiers;
  const TileScore* function = nullptr;
  const float* parameter = nullptr;    // of this head
  const float* query_terms = nullptr;  // (Nq), where the score has terms
  const float* key_terms = nullptr;    // (Nk)
  // The table of this head in log2 units, with kMaxPanel copies of its ends on either side:
  // index 0 is distance −reach − kMaxPanel. `reversed` runs the other way.
  const float* relative = nullptr;
  const float* relative_reversed = nullptr;
  int64_t reach = 0;
  int64_t query_offset = 0;
  DenseBias dense;  // data points at row 0 of this (batch, head)
  // Nothing but scale · product: the short way.
  bool is_plain = true;
};

struct TileDropout {
  const uint32_t* query_keys = nullptr;  // (Nq) of this (batch, head); null: no dropout
  const uint32_t* key_keys = nullptr;    // (Nk)
  uint32_t threshold = 0;                // kept where the hash is not below
};

// Rows of a (N, size) array in the dtype of the problem; stride in elements.
struct Rows {
  const void* data = nullptr;
  int64_t stride = 0;
};

// ---- forward: lanes are queries, a panel is up to two vectors of them ----
//
//   S^T[key][lane] = Σ_d K[key][d] · Q^T[d][lane]
//   O^T[d][lane] += Σ_key V[key][d] · P^T[key][lane]

struct ForwardPanel {
  int64_t query = 0;          // index of the first lane
  int lanes = 0;              // how many are queries
  int vectors = 0;            // how many hold queries, 1 or 2
  float* queries = nullptr;   // Q^T (D, panel), or in pairs (D/2, panel)
  float* prepared = nullptr;  // pairwise scores: the prepared Q^T
  float* output = nullptr;    // O^T (Dv, panel)
  float* maximum = nullptr;   // (panel) of score / score_factor so far
  float* sum = nullptr;       // (panel)
};

struct ForwardKeys {
  int64_t key = 0;  // index of the first
  int count = 0;
  const float* keys = nullptr;  // (count, D) float32
  int64_t key_stride = 0;
  const float* prepared = nullptr;  // pairwise scores
  const float* values = nullptr;    // (count, Dv) float32
  int64_t value_stride = 0;
  // With bfloat16 products instead: keys as they are, values in pairs of rows.
  const uint16_t* key_halves = nullptr;
  int64_t key_halves_stride = 0;
  const uint16_t* value_pairs = nullptr;    // (⌈count/2⌉, Dv, 2)
  const uint16_t* value_columns = nullptr;  // (Dv, kForwardKeys) for brgemm, where count is that
  Rows raw_values;                          // as they are, for the NaN-safe way
  // Whether a value is NaN or infinite, which must not reach lanes that it is masked for.
  bool nan_safe = false;
};

struct ForwardTile {
  const HeadScore* score = nullptr;
  const TileDropout* dropout = nullptr;
  const Brgemm* brgemm = nullptr;  // null: own products
  int size = 0;
  int value_size = 0;
  const uint32_t* masks = nullptr;  // (count) lanes that may attend to each key; null: all
  float* scores = nullptr;          // scratch (kForwardKeys, panel)
  float* bias = nullptr;            // scratch (kForwardKeys, panel)
};

struct PanelResult {
  float score_factor = 1;   // log2 units of one unit of `maximum`
  float output_factor = 1;  // dropout's 1 / (1 − p)
  int value_size = 0;
  DataType type = DataType::kFloat32;
  void* output = nullptr;  // row of the first lane
  int64_t stride = 0;
  float* log_sum_exp = nullptr;  // of the first lane, or null
  float* log_sum_exp_rest = nullptr;
};

// ---- backward: lanes are keys, a panel is up to two vectors of them ----
//
//   S[query][lane]  = Σ_d Q[query][d] · K^T[d][lane]       dP the same of dO and V^T
//   dV[key][d] += Σ_query P[query][key] · dO[query][d]     dK the same of dS and Q
//   dQ[query][d] = Σ_key dS[query][key] · K[key][d]

struct BackwardQueries {
  int64_t query = 0;  // index of the first
  int count = 0;
  const float* queries = nullptr;  // float32, rows padded to whole vectors
  int64_t query_stride = 0;
  const float* prepared = nullptr;  // pairwise scores
  const float* grads = nullptr;     // dO, likewise
  int64_t grad_stride = 0;
  // With bfloat16 products instead: as they are, and in pairs of rows.
  const uint16_t* query_halves = nullptr;
  int64_t query_halves_stride = 0;
  const uint16_t* grad_halves = nullptr;
  int64_t grad_halves_stride = 0;
  const uint16_t* query_pairs = nullptr;  // (⌈count/2⌉, padded D, 2)
  const uint16_t* grad_pairs = nullptr;
  Rows raw_queries;  // as they are, for the NaN-safe way
  Rows raw_grads;
  // (count) log-sum-exp in log2 units, +inf for empty rows; the second is what rounding left.
  const float* log_sum = nullptr;
  const float* log_sum_rest = nullptr;
  const float* delta = nullptr;  // (count) Σ_d dO · O − grad of log-sum-exp
};

struct BackwardKeys {
  int64_t key = 0;
  int count = 0;
  int panels = 0;
  const float* keys_t = nullptr;      // (panels, D, panel) or in pairs (panels, D/2, panel)
  const float* prepared_t = nullptr;  // pairwise scores
  const float* values_t = nullptr;    // (panels, Dv, panel) or in pairs
  const float* keys = nullptr;        // float32, rows padded to whole vectors
  int64_t key_stride = 0;
  const uint16_t* key_pairs = nullptr;  // (⌈count/2⌉, padded D, 2)
  Rows raw_keys;                        // as they are, for the NaN-safe way
  float* grad_keys = nullptr;           // (kBackwardKeys, padded D) sums so far, not yet scaled
  float* grad_keys_t = nullptr;         // pairwise scores: (panels, D, panel) instead
  float* grad_values = nullptr;         // (kBackwardKeys, padded Dv) sums so far
};

// Where the gradients of what is learned are summed; null where they are not wanted.
struct BackwardSums {
  float* parameter = nullptr;    // of this head
  float* query_terms = nullptr;  // (kBackwardQueries) added to
  float* key_terms = nullptr;    // (kBackwardKeys) added to
  float* alibi = nullptr;        // one number, added to
  float* relative = nullptr;     // padded as HeadScore::relative, added to
  // Of the pairs beyond the reach: most pairs of a long text, so that the sums are doubles.
  double* relative_below = nullptr;
  double* relative_above = nullptr;
  float* dense = nullptr;  // (kBackwardQueries, kBackwardKeys) written: dS of the tile
};

struct BackwardTile {
  DataType type = DataType::kFloat32;
  const HeadScore* score = nullptr;
  const TileDropout* dropout = nullptr;
  const Brgemm* brgemm = nullptr;  // null: own products
  float dropout_factor = 1;        // 1 / (1 − p)
  int size = 0;
  int value_size = 0;
  int padded_size = 0;
  int padded_value_size = 0;
  const uint64_t* masks = nullptr;  // (count of keys) queries that may attend; null: all
  float* weights = nullptr;         // scratch (kBackwardQueries, panel): P
  float* grads = nullptr;           // scratch (kBackwardQueries, panel): dP, then dS
  float* slopes = nullptr;          // scratch (kBackwardQueries, panel): of softcap
  float* raws = nullptr;            // scratch (kBackwardQueries, panel): the products
  float* score_grads = nullptr;     // scratch (kBackwardQueries, kBackwardKeys): dS · slope
  float* pairs = nullptr;           // scratch for bfloat16 products, as large
  uint16_t* columns = nullptr;      // brgemm: scratch (panel, kBackwardQueries)
  float* lane_copies = nullptr;     // pairwise scores: scratch (3, D, panel)
  float* grad_queries = nullptr;    // (kBackwardQueries, padded D) written, not yet scaled
  BackwardSums sums;
};

struct LiveRows {
  int begin = 0;
  int end = 0;
};

// A score in the tile engine.
struct TileScore : ScoreFunctions {
  // The raw products of a tile to scores in log2 units, with bias and mask; and their maximum.
  void (*finish_forward)(const ForwardTile& tile, const ForwardPanel& panel,
                         const ForwardKeys& keys, float* maximum) = nullptr;
  // One panel of the backward tile: raw products to scores in log2 units, and to the slopes that
  // take the gradient of the score to that of raw.
  void (*finish_backward)(const BackwardTile& tile, const BackwardQueries& queries,
                          const BackwardKeys& keys, int panel, int first_row,
                          int end_row) = nullptr;
  // The gradients of terms and parameter, from dS in tile.grads; then dS times slope.
  void (*finish_gradient)(const BackwardTile& tile, const BackwardQueries& queries,
                          const BackwardKeys& keys, int panel, int first_row,
                          int end_row) = nullptr;
};

// ---- the table of one instruction set ----

struct TileTable {
  int lanes;  // of a vector; a panel has twice as many
  bool has_pairs;
  const TileScore* scores;
  int score_count;

  // `rows` rows to float32, each padded with zeros to `padded` numbers.
  void (*copy_rows)(Rows from, DataType type, int rows, int size, float* to, int64_t padded);
  // Up to one panel of rows to (size, panel), zeros in the lanes that are left.
  void (*pack_transposed)(Rows from, DataType type, int rows, int size, float* to);
  // Of bfloat16: (size / 2, panel) of pairs along the row; size is even.
  void (*pack_transposed_pairs)(Rows from, int rows, int size, float* to);
  // Of bfloat16: (⌈rows / 2⌉, padded, 2), pairs of consecutive rows, zeros where there is none.
  void (*pack_row_pairs)(Rows from, int rows, int size, uint16_t* to, int64_t padded);
  // (rows, columns) of pairs to (columns, rows) of pairs; both a multiple of the lanes.
  void (*transpose_pairs)(const void* from, int rows, int columns, void* to);

  // Whether NaN or an infinity is among the rows.
  bool (*has_non_finite)(Rows rows, DataType type, int count, int size);

  void (*forward_tile)(const ForwardTile& tile, const ForwardPanel& panel, const ForwardKeys& keys);
  void (*forward_tile_pairs)(const ForwardTile& tile, const ForwardPanel& panel,
                             const ForwardKeys& keys);
  void (*finish_panel)(const ForwardPanel& panel, const PanelResult& result);

  // sums[i] = Σ_d a[i][d] · b[i][d]
  void (*row_dots)(Rows a, Rows b, DataType type, int rows, int size, float* sums);
  // Returns the rows of grad_queries that it wrote; the others are zero.
  LiveRows (*backward_tile)(const BackwardTile& tile, const BackwardQueries& queries,
                            const BackwardKeys& keys);
  LiveRows (*backward_tile_pairs)(const BackwardTile& tile, const BackwardQueries& queries,
                                  const BackwardKeys& keys);
  // to[i][d] += factor · from[i][d]
  void (*add_rows)(const float* from, int64_t from_stride, float factor, int rows, int size,
                   float* to, int64_t to_stride);
  // to = factor · from, in the dtype of the problem.
  void (*store_rows)(const float* from, int64_t from_stride, float factor, int rows, int size,
                     DataType type, void* to, int64_t to_stride);
};

// The table of the instruction set in use.
const TileTable& tile_table();

// The score of that name in the table; UsageError with the names there are where it has none.
const TileScore& tile_score(const TileTable& table, const char* name);

HEED_TABLES(TileTable, kTileTable);

}  // namespace heed::kernels
