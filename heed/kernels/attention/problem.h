// An attention problem as raw pointers and strides: the contract between the kernels (which know
// no tensors) and ops/ (which checks shapes and talks to torch).
//
//   raw     = q · k                     (dot family)   or   Σ_d v_d tanh(q_d + k_d)   (additive)
//   score   = cap · tanh(scale · raw / cap)            (softcap, where cap > 0)
//           + alibi + relative bias + dense bias
//   weights = softmax over the allowed keys, natural log-sum-exp alongside
//   output  = dropout(weights) · value
//
// Shape letters: B batch, H query heads, Hk key heads (H divisible by Hk; consecutive query heads
// share a key head), Nq and Nk lengths, D query and key size, Dv value size.
//
// Rows with no allowed key: output 0, gradients 0, log-sum-exp −inf. A key or value row that no
// query of a block may attend to is never read; NaN in a masked key never reaches a result.
#pragma once

#include <cstdint>

#include "heed/kernels/attention/patterns/pattern.h"
#include "heed/kernels/data_type.h"
#include "heed/kernels/vector/dropout.h"

namespace heed::kernels {

// A (B, heads, N, size) array whose last dimension is contiguous; strides in elements. A stride of
// 0 is an expanded dimension (inputs only).
template <typename Pointer>
struct Array {
  Pointer data = nullptr;
  int64_t batch = 0;
  int64_t head = 0;
  int64_t row = 0;
};
using ConstArray = Array<const void*>;
using MutableArray = Array<void*>;

struct Shape {
  int64_t batch = 0;
  int64_t heads = 0;
  int64_t key_heads = 0;
  int64_t queries = 0;
  int64_t keys = 0;
  int64_t size = 0;        // D
  int64_t value_size = 0;  // Dv
};

// Every pointer is float32; a gradient is added to nothing: it is written whole.
struct Score {
  const char* name = "dot";  // as in scores/score_list_leaf.h: "dot", "cosine", "additive", ...
  float scale = 1;           // "scaled dot" is dot with 1/√D
  // What a score learns beside query and key: cosine's temperature (H), additive's v (H, D).
  const float* parameter = nullptr;
};

struct RelativeTable {
  // bias = table[h · head + clamp(j − p(i), −reach, reach) + reach], p(i) = i + query_offset.
  const float* table = nullptr;
  int64_t head = 0;  // stride between heads; 0: one row for all
  int64_t reach = 0;
};

struct DenseBias {
  // bias = data[b · batch + h · head + i · row + j], in the dtype of the inputs or float32.
  const void* data = nullptr;
  DataType type = DataType::kFloat32;
  int64_t batch = 0;  // 0: the same for every batch
  int64_t head = 0;
  int64_t row = 0;  // 0: the same for every query
};

struct Modifiers {
  float softcap = 0;                    // 0: none
  const float* alibi_slopes = nullptr;  // (H): bias = −slope · |j − p(i)|
  RelativeTable relative;
  DenseBias dense;
};

// The same of one head, as the formula of scores/modifiers_leaf.h wants it.
struct HeadModifiers {
  float scale = 1;
  float softcap = 0;
  bool has_alibi = false;
  float alibi_slope = 0;
  bool has_relative = false;
  bool has_dense = false;
};
inline HeadModifiers modifiers_of_head(const Modifiers& m, float scale, int64_t head) {
  return {.scale = scale,
          .softcap = m.softcap,
          .has_alibi = m.alibi_slopes != nullptr,
          .alibi_slope = m.alibi_slopes != nullptr ? m.alibi_slopes[head] : 0,
          .has_relative = m.relative.table != nullptr,
          .has_dense = m.dense.data != nullptr};
}

// What forward and backward share.
struct Problem {
  Shape shape;
  DataType type = DataType::kFloat32;
  ConstArray query;  // (B, H, Nq, D)
  ConstArray key;    // (B, Hk, Nk, D)
  ConstArray value;  // (B, Hk, Nk, Dv)
  Score score;
  Modifiers modifiers;
  PatternPtr pattern;  // null: full
  // The position of query 0 among the keys, for ALiBi and relative bias: Nk − Nq where the ends
  // are aligned (the default of ops/), 0 where the starts are.
  int64_t query_offset = 0;
  Dropout dropout;
  // No backward pass will follow. An engine may then round where its own does not: short rows and
  // few queries are faster so.
  bool forward_only = false;
};

struct ForwardResult {
  MutableArray output;           // (B, H, Nq, Dv), dtype of the problem
  float* log_sum_exp = nullptr;  // (B, H, Nq), contiguous
  // What rounding to float32 took from log_sum_exp: (B, H, Nq), or null. Handed to the backward
  // pass, it makes the weights there as exact as those here; without it their relative error is
  // that of a log-sum-exp, which matters where that is large.
  float* log_sum_exp_rest = nullptr;
};

// Gradients that are not wanted are null. Those of the inputs have the problem's dtype, the others
// are float32 and contiguous.
struct BackwardArgs {
  ConstArray output;
  const float* log_sum_exp = nullptr;
  const float* log_sum_exp_rest = nullptr;  // see ForwardResult; null: zero
  ConstArray grad_output;
  const float* grad_log_sum_exp = nullptr;  // (B, H, Nq) contiguous, or null: zero

  MutableArray grad_query;
  MutableArray grad_key;
  MutableArray grad_value;
  float* grad_parameter = nullptr;       // like score.parameter
  float* grad_alibi_slopes = nullptr;    // (H)
  float* grad_relative_table = nullptr;  // (H or 1, 2 · reach + 1)
  float* grad_dense = nullptr;           // contiguous (B or 1, H or 1, Nq or 1, Nk)
};

}  // namespace heed::kernels
