// What a score is to the engines. There are two families.
//
// Product scores are a function of one matrix product and of what each token is by itself:
//
//   score(q, k) = value(q · k, query_term(q), key_term(k), parameter of the head)
//
//   struct MyScore {
//     static constexpr char kName[] = "my_score";
//     static constexpr bool kIsIdentity = false;    // whether value(raw, …) is raw
//     static constexpr bool kHasTerms = true;       // whether the two terms below are read
//     static constexpr int kParameters = 1;         // numbers learned by a head: 0 or 1
//     static float query_term(const float* q, int size);
//     static float key_term(const float* k, int size);
//     // out[d] += upstream · ∂term/∂q[d]; the same of a key.
//     static void add_query_term_gradient(const float* q, int size, float term, float upstream,
//                                         float* out);
//     static void add_key_term_gradient(…);
//     static Floats value(Floats raw, Floats query_term, Floats key_term, Floats parameter);
//     // The partial derivatives of value.
//     static ScoreSlopes slopes(Floats raw, Floats query_term, Floats key_term, Floats parameter);
//   };
//
// Pairwise scores are Σ_d f(q_d, k_d) with a vector (D) of parameters for a head; they write the
// two loops over a tile themselves: see PairwiseTile and PairwiseGradient below.
//
//   struct MyPairwise {
//     static constexpr char kName[] = "my_pairwise";
//     // Two numbers for each, once for a row and once for a panel: out (2, count).
//     static void prepare(const float* in, int64_t count, float* out);
//     static void score(const PairwiseTile& tile);
//     static void gradient(const PairwiseGradient& tile);
//   };
//
// Either becomes a line in score_list_leaf.h: PRODUCT_SCORE(MyScore) or PAIRWISE_SCORE(MyPairwise).
#pragma once

#include <cstdint>
#include <string_view>

namespace heed::kernels {

// raw[row][lane] = Σ_d f(row_d, lane_d) for all `rows` and all lanes of `vectors` vectors. The
// forward pass has keys as rows and queries as lanes, the backward pass the other way round.
// Lanes without a token hold zeros, prepared from zeros; their results are not read.
struct PairwiseTile {
  bool rows_are_keys = true;
  int rows = 0;
  int vectors = 0;                  // of lanes: 1 or 2
  int size = 0;                     // D
  const float* row_data = nullptr;  // (rows, D), stride `row_stride`
  int64_t row_stride = 0;
  // The same through prepare(), stride row_prepared_stride; the second numbers are half of it on.
  const float* row_prepared = nullptr;
  int64_t row_prepared_stride = 0;
  const float* lane_data = nullptr;      // (D, panel): two vectors wide, also where one is used
  const float* lane_prepared = nullptr;  // the same through prepare(): (2, D, panel)
  const float* parameter = nullptr;      // (D)
  float* raw = nullptr;                  // (rows, panel), stride raw_stride
  int64_t raw_stride = 0;
};

// Given the gradient of raw, adds to those of rows, lanes and parameter. Rows are queries, lanes
// keys. `grad` is 0 for pairs that are not allowed.
struct PairwiseGradient {
  PairwiseTile tile;           // `raw` holds the gradient of raw; `rows` are the live ones
  int lanes = 0;               // how many lanes hold keys
  float* grad_rows = nullptr;  // (rows, D) added to, stride grad_rows_stride
  int64_t grad_rows_stride = 0;
  float* grad_lanes = nullptr;      // (D, panel) added to
  float* grad_parameter = nullptr;  // (D) added to, or null
};

enum class TermSide : uint8_t { kQuery, kKey };

// What every engine calls of a score, made from the structs above by score_leaf.h. Each engine adds
// its own way from raw values to scores (TileScore, RowScore).
struct ScoreFunctions {
  const char* name = nullptr;
  bool is_pairwise = false;
  bool is_identity = false;  // value(raw, …) = raw
  bool has_terms = false;
  int parameters = 0;  // numbers learned by a head; for pairwise scores D of them

  // Product scores.
  void (*terms)(TermSide side, const float* rows, int64_t stride, int count, int size,
                float* out) = nullptr;
  void (*add_term_gradients)(TermSide side, const float* rows, int64_t stride, int count, int size,
                             const float* terms, const float* upstream, float* out,
                             int64_t out_stride) = nullptr;

  // Pairwise scores.
  void (*prepare)(const float* in, int64_t count, float* out) = nullptr;
  void (*pairwise_score)(const PairwiseTile& tile) = nullptr;
  void (*pairwise_gradient)(const PairwiseGradient& tile) = nullptr;
};

// The score of that name among `count` of one engine, or null.
template <typename Score>
const Score* find_score(const Score* scores, int count, std::string_view name) {
  for (int i = 0; i < count; ++i) {
    if (name == scores[i].name) return &scores[i];
  }
  return nullptr;
}

}  // namespace heed::kernels
