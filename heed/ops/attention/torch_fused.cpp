// CUDA: torch's memory-efficient attention, for the requests that it can take exactly.
#include <ATen/ATen.h>

#include <limits>
#include <string_view>
#include <variant>

#include "heed/kernels/arithmetic.h"
#include "heed/ops/attention/argument_checks.h"
#include "heed/ops/attention/operators.h"
#include "heed/ops/attention/pattern_node.h"

namespace heed {
namespace {

// torch's causal is aligned at the top left.
bool is_torch_causal(const AttentionCall& call) {
  if (call.options.pattern.is_full()) return false;
  const Pattern::Node& node = call.options.pattern.node();
  return node.join == Pattern::Node::Join::kLeaf && node.kind->name == std::string_view("causal") &&
         query_offset(node.leaf, {.queries = call.query.size(2), .keys = call.key.size(2)}) == 0;
}

}  // namespace

const char* torch_fused_refuses(const AttentionCall& call) {
  const auto& [query, key, value, options] = call;
  if (!query.is_cuda()) return "the tensors are not on a CUDA device";
  const auto type = query.scalar_type();
  if (type != at::kFloat && type != at::kHalf && type != at::kBFloat16) {
    return "neither float32 nor a 16-bit dtype";
  }
  if (!std::holds_alternative<Dot>(options.score) &&
      !std::holds_alternative<ScaledDot>(options.score)) {
    return "a score other than the dot product";
  }
  if (options.softcap != 0 || options.alibi_slopes || options.relative_bias || options.bias) {
    return "a softcap or a bias";
  }
  if (options.dropout != 0) return "dropout, of which torch draws another mask";
  if (query.dim() != 4 || key.dim() != 4 || key.size(1) != query.size(1)) {
    return "grouped heads, or not four dimensions";
  }
  if (!options.pattern.is_full() && !is_torch_causal(call)) return "a pattern other than causal";
  if (query.numel() == 0 || key.numel() == 0 || value.numel() == 0) return "nothing to do";
  // Its loads are of 16 bytes.
  const int64_t step = type == at::kFloat ? 4 : 8;
  if (query.size(3) % step != 0 || value.size(3) % step != 0) return "rows not of whole 16 bytes";
  return nullptr;
}

const char* torch_fused_refuses(const AttentionBackwardCall& call) {
  if (const char* const refusal = torch_fused_refuses(call.forward)) return refusal;
  const bool knows_all = call.grad_output.defined() && !call.grad_log_sum_exp.defined();
  return knows_all ? nullptr : "a gradient of the log-sum-exp";
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
  const auto& [query, key, value, options] = call.forward;
  check_attention_backward(check_attention(query, key, value, options), call);
  const int64_t padding = kernels::round_up(query.size(2), 32) - query.size(2);
  const auto log_sum_exp =
      at::constant_pad_nd(call.log_sum_exp, {0, padding}, std::numeric_limits<double>::infinity());
  const auto no_seed = at::zeros({}, at::kLong);
  const auto result = at::_scaled_dot_product_efficient_attention_backward(
      call.grad_output, query, key, value, /*attn_bias=*/{}, call.output, log_sum_exp, no_seed,
      no_seed, /*dropout_p=*/0,
      {call.wanted[kQuery], call.wanted[kKey], call.wanted[kValue], false},
      is_torch_causal(call.forward), scale_of(options, query.size(3)));
  Gradients gradients;
  if (call.wanted[kQuery]) gradients[kQuery] = std::get<0>(result);
  if (call.wanted[kKey]) gradients[kKey] = std::get<1>(result);
  if (call.wanted[kValue]) gradients[kValue] = std::get<2>(result);
  return gradients;
}

}  // namespace heed
