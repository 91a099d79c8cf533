// heed::attention: fused, exact, differentiable attention in O(N) memory.
//
//   weights = dropout(softmax(mask(bias(softcap(scale · score(query, key))))))
//   output  = weights · value
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "heed/ops/pattern.h"

namespace heed {

// How much a query and a key have to do with each other.
struct Dot {};        // q · k                                     Luong et al. 2015
struct ScaledDot {};  // q · k / √D                                Vaswani et al. 2017, eq. 1
struct Cosine {       // temperature_h · q · k / (|q| |k|)         Henry et al. 2020
  at::Tensor temperature;  // (H), learnable
};
struct Additive {  // Σ_d v_hd tanh(q_d + k_d)                     Bahdanau et al. 2015
  at::Tensor v;    // (H, D), learnable; the projections belong to the layer above
};
struct NamedScore {  // any by its name: "leaky", or one of your own (docs/adding_a_score.md)
  std::string name;
  at::Tensor parameter = {};  // (H) or (H, D), learnable; undefined where it learns nothing
};
using Score = std::variant<ScaledDot, Dot, Cosine, Additive, NamedScore>;

// A learned bias by distance: table[h, clamp(j − p(i), −reach, reach) + reach].
//                                                                            Raffel et al. 2020
struct RelativeBias {
  at::Tensor table;  // (H or 1, 2 · reach + 1)
};

// Some heads of more: first … first + H − 1 of `whole`; whole 0: these are all.
struct DropoutHeads {
  int64_t first = 0;
  int64_t whole = 0;
};

// The softcaps that float32 can work with.
inline constexpr double kSmallestSoftcap = 1e-30;
inline constexpr double kLargestSoftcap = 1e30;

struct AttentionOptions {
  Score score = ScaledDot{};
  Pattern pattern = Pattern::full();
  std::optional<double> scale = {};  // instead of the score's own factor
  double softcap = 0;                // 0: none; else kSmallestSoftcap … kLargestSoftcap
  // (H): bias = −slope_h · |j − p(i)|                                     Press et al. 2022
  std::optional<at::Tensor> alibi_slopes = {};
  std::optional<RelativeBias> relative_bias = {};
  std::optional<at::Tensor> bias = {};  // broadcast to (B, H, Nq, Nk)
  // Where query 0 stands among the keys, for ALiBi and relative bias: p(i) = i + Nk − Nq, or i.
  // (A pattern has its own.)
  Alignment alignment = Alignment::kBottomRight;
  double dropout = 0;  // the probability with which a weight is dropped, below 1
  uint64_t dropout_seed = 0;
  DropoutHeads dropout_heads = {};  // the mask is what these heads have of that for all
};

struct AttentionResult {
  at::Tensor output;       // (B, H, Nq, Dv), dtype of query
  at::Tensor log_sum_exp;  // (B, H, Nq), float32 (float64 for float64), natural log
  // What rounding to float32 took from log_sum_exp, for those who make weights from it again: the
  // backward pass. Has no gradient. Undefined: nothing, or no gradient was asked for.
  at::Tensor log_sum_exp_rest = {};
};

// query (B, H, Nq, D), key (B, Hk, Nk, D), value (B, Hk, Nk, Dv); H divisible by Hk. Any strides
// with a contiguous last dimension. float32 and bfloat16 are fused on CPU; float64 and every other
// device take attention_math, and so do second derivatives, derivatives of forward mode and the
// transforms of torch.func. Throws UsageError where shapes, dtypes or options do not fit.
AttentionResult attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                          const AttentionOptions& options = {});

// The same by plain tensor operations with an (Nq, Nk) matrix of weights: for any device and
// dtype, differentiable, and the oracle of the tests.
AttentionResult attention_math(const at::Tensor& query, const at::Tensor& key,
                               const at::Tensor& value, const AttentionOptions& options = {});

}  // namespace heed
