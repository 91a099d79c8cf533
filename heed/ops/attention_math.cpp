#include "heed/ops/attention_math.h"

#include <ATen/ATen.h>

#include <limits>

#include "heed/ops/attention/dropout_mask.h"
#include "heed/ops/attention/score_kinds.h"

namespace heed {
namespace {

constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

// Rows (B, Hk, Nk, ·) of which no query may use any are zeroed, so that nothing in them, NaN
// included, takes part, not even with weight 0.
at::Tensor without_unused_rows(const at::Tensor& rows, const at::Tensor& allowed,
                               const AttentionSizes& sizes) {
  if (!allowed.defined()) return rows;
  auto used = allowed.expand({sizes.batch, sizes.heads, sizes.queries, sizes.keys}).any(2);
  if (sizes.key_heads > 0) {
    used = used.reshape({sizes.batch, sizes.key_heads, sizes.heads / sizes.key_heads, sizes.keys})
               .any(2);
  }
  return rows.masked_fill(used.logical_not().unsqueeze(-1), 0);
}

at::Tensor for_query_heads(const at::Tensor& rows, const AttentionSizes& sizes) {
  if (sizes.key_heads == sizes.heads) return rows;
  return rows.repeat_interleave(sizes.heads / sizes.key_heads, 1);
}

// weights · value, so that a value with NaN or infinity reaches only the queries that attend to
// it, where a plain product would multiply it by the 0 of a masked pair.
at::Tensor weighted_sum(const at::Tensor& weights, const at::Tensor& value,
                        const at::Tensor& allowed) {
  if (!allowed.defined() || !has_non_finite(value)) return weights.matmul(value);
  const auto finite = value.isfinite();
  auto result = weights.matmul(value.masked_fill(finite.logical_not(), 0));
  const auto reach = allowed.to(weights.scalar_type()).expand(weights.sizes());
  for (const double special : {std::numeric_limits<double>::infinity(), kMinusInfinity,
                               std::numeric_limits<double>::quiet_NaN()}) {
    const auto here = special == special ? value == special : value.isnan();
    const auto reached = reach.matmul(here.to(weights.scalar_type())) > 0;
    result = result + at::zeros_like(result).masked_fill(reached, special);
  }
  return result;
}

at::Tensor modified(at::Tensor scores, const AttentionOptions& options,
                    const AttentionSizes& sizes) {
  const auto working = scores.scalar_type();
  if (options.softcap > 0) scores = (scores / options.softcap).tanh() * options.softcap;
  if (options.alibi_slopes || options.relative_bias) {
    const auto index = at::TensorOptions(at::kLong).device(scores.device());
    const auto positions = at::arange(sizes.queries, index) + query_offset(options, sizes);
    const auto distance = at::arange(sizes.keys, index) - positions.unsqueeze(1);
    if (options.alibi_slopes) {
      scores =
          scores - options.alibi_slopes->to(working).view({-1, 1, 1}) * distance.abs().to(working);
    }
    if (options.relative_bias) {
      const auto& table = options.relative_bias->table;
      const int64_t reach = table.size(1) / 2;
      const auto place = (distance.clamp(-reach, reach) + reach).flatten();
      scores = scores + table.to(working).index_select(1, place).view(
                            {1, table.size(0), sizes.queries, sizes.keys});
    }
  }
  if (options.bias) scores = scores + options.bias->to(working);
  return scores;
}

}  // namespace

MathWeights math_weights(const at::Tensor& query, const at::Tensor& key,
                         const AttentionOptions& options, const AttentionSizes& sizes,
                         at::ScalarType working) {
  const auto allowed = options.pattern.mask(sizes.pattern(), query.device());
  const auto used_key =
      for_query_heads(without_unused_rows(key.to(working), allowed, sizes), sizes);
  const auto [name, parameter] = score_parts(options.score);
  auto scores = score_kind(name).formula(
      {.query = query.to(working),
       .key = used_key,
       .parameter = parameter.defined() ? parameter.to(working) : parameter,
       .allowed = allowed});
  scores = modified(scores * scale_of(options, sizes.size), options, sizes);
  if (allowed.defined()) scores = scores.masked_fill(allowed.logical_not(), kMinusInfinity);

  // Rows without any key would be 0/0; they go through as zeros and are put right afterwards.
  const auto nothing = scores == kMinusInfinity;
  const auto dead = nothing.all(-1, /*keepdim=*/true);
  const auto live = scores.masked_fill(dead, 0);
  const auto log_sum_exp = live.logsumexp({-1}, /*keepdim=*/true);
  return {.weights = live.softmax(-1).masked_fill(nothing, 0),
          .log_sum_exp = log_sum_exp.masked_fill(dead, kMinusInfinity).squeeze(-1),
          .allowed = allowed};
}

AttentionResult attention_math_in(const at::Tensor& query, const at::Tensor& key,
                                  const at::Tensor& value, const AttentionOptions& options,
                                  at::ScalarType working) {
  const auto sizes = check_attention(query, key, value, options);
  auto [weights, log_sum_exp, allowed] = math_weights(query, key, options, sizes, working);
  if (options.dropout > 0) {
    weights = weights * dropout_factors(sizes.pattern(), options, working, query.device());
  }
  const auto used_value =
      for_query_heads(without_unused_rows(value.to(working), allowed, sizes), sizes);
  const auto output = weighted_sum(weights, used_value, allowed);
  const auto precise = working == at::kDouble ? at::kDouble : at::kFloat;
  return {.output = output.to(query.scalar_type()), .log_sum_exp = log_sum_exp.to(precise)};
}

AttentionResult attention_math(const at::Tensor& query, const at::Tensor& key,
                               const at::Tensor& value, const AttentionOptions& options) {
  const bool wide = query.defined() && query.scalar_type() == at::kDouble;
  return attention_math_in(query, key, value, options, wide ? at::kDouble : at::kFloat);
}

}  // namespace heed
