// CUDA: torch's memory-efficient attention, for the requests that it can take exactly.
#include <ATen/ATen.h>

#include "heed/ops/attention/attention_checks.h"
#include "heed/ops/attention/operators.h"

namespace heed {
namespace {

// torch's causal is aligned at the top left.
bool is_torch_causal(const AttentionCall& call) {
  const auto expression = call.options.pattern.parts().expression;
  return expression == "causal_top_left" ||
         (expression == "causal" && call.query.size(2) == call.key.size(2));
}

}  // namespace

bool torch_fused_refuses(const AttentionCall& call) {
  const auto& [query, key, value, options] = call;
  const bool plain_score = std::holds_alternative<Dot>(options.score) ||
                           std::holds_alternative<ScaledDot>(options.score);
  const bool plain = plain_score && options.softcap == 0 && !options.alibi_slopes &&
                     !options.relative_bias && !options.bias && options.dropout == 0 &&
                     (options.pattern.is_full() || is_torch_causal(call));
  const auto type = query.scalar_type();
  const bool known = type == at::kFloat || type == at::kHalf || type == at::kBFloat16;
  // Its loads are of 16 bytes.
  const int64_t step = type == at::kFloat ? 4 : 8;
  const bool fits = query.dim() == 4 && key.size(1) == query.size(1) && query.numel() > 0 &&
                    key.numel() > 0 && value.numel() > 0 && query.size(3) % step == 0 &&
                    value.size(3) % step == 0;
  return !(query.is_cuda() && plain && known && fits);
}

AttentionResult torch_fused_forward(const AttentionCall& call) {
  const auto& [query, key, value, options] = call;
  const auto sizes = check_attention(query, key, value, options);
  const auto result = at::_scaled_dot_product_efficient_attention(
      query, key, value, /*attn_bias=*/{}, /*compute_log_sumexp=*/true, /*dropout_p=*/0,
      is_torch_causal(call), scale_of(options, sizes.size));
  // Its log-sum-exp is filled up to a multiple of 32 queries.
  return {.output = std::get<0>(result),
          .log_sum_exp = std::get<1>(result).slice(2, 0, sizes.queries).contiguous()};
}

Gradients torch_fused_backward(const AttentionBackwardCall& call) {
  // It knows no gradient of the log-sum-exp.
  if (call.grad_log_sum_exp.defined() || !call.grad_output.defined()) return math_backward(call);
  const auto& [query, key, value, options] = call.forward;
  const int64_t padding = (query.size(2) + 31) / 32 * 32 - query.size(2);
  const auto log_sum_exp =
      at::constant_pad_nd(call.log_sum_exp, {0, padding}, std::numeric_limits<double>::infinity());
  const auto no_seed = at::zeros({}, at::kLong);
  const auto result = at::_scaled_dot_product_efficient_attention_backward(
      call.grad_output, query, key, value, /*attn_bias=*/{}, call.output, log_sum_exp, no_seed,
      no_seed, /*dropout_p=*/0, {call.wanted[0], call.wanted[1], call.wanted[2], false},
      is_torch_causal(call.forward), scale_of(options, query.size(3)));
  Gradients gradients;
  if (call.wanted[0]) gradients[0] = std::get<0>(result);
  if (call.wanted[1]) gradients[1] = std::get<1>(result);
  if (call.wanted[2]) gradients[2] = std::get<2>(result);
  return gradients;
}

}  // namespace heed
