#include "heed/ops/attention.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/record_function.h>
#include <c10/core/impl/TorchDispatchModeTLS.h>

#include "heed/base/error.h"
#include "heed/ops/attention/operators.h"
#include "heed/ops/attention/score_kinds.h"
#include "heed/ops/attention/transforms.h"

namespace heed {
namespace {

// A tensor with memory on the CPU that stands for nothing else, and whose gradient nobody records.
bool is_bare(const at::Tensor& tensor) {
  constexpr c10::DispatchKeySet kBare({c10::DispatchKey::CPU, c10::DispatchKey::ADInplaceOrView,
                                       c10::DispatchKey::AutogradCPU,
                                       c10::DispatchKey::AutocastCPU});
  return !tensor.defined() || (kBare.isSupersetOf(tensor.key_set()) && !has_tangent(tensor) &&
                               !(tensor.requires_grad() && at::GradMode::is_enabled()));
}

// Whether the dispatcher would do nothing but call the kernels: then the way through it, on which
// arguments are packed and the pattern becomes a text and is read again, takes as long as they do
// where a call is small.
bool goes_straight(const AttentionCall& call) {
  const auto& [query, key, value, options] = call;
  const auto bare = [](const std::optional<at::Tensor>& tensor) {
    return !tensor || is_bare(*tensor);
  };
  return is_bare(query) && is_bare(key) && is_bare(value) && !fused_refuses(call) &&
         is_bare(score_parts(options.score).parameter) && bare(options.alibi_slopes) &&
         bare(options.bias) && (!options.relative_bias || is_bare(options.relative_bias->table)) &&
         !at::autocast::is_autocast_enabled(at::kCPU) && !at::hasCallbacks() && !in_functorch() &&
         !c10::impl::TorchDispatchModeTLS::any_modes_set();
}

}  // namespace

AttentionResult attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                          const AttentionOptions& options) {
  check_usage(query.defined() && key.defined() && value.defined(),
              "attention: query, key and value must be defined tensors");
  const AttentionCall call{.query = query, .key = key, .value = value, .options = options};
  if (goes_straight(call)) return fused_forward(call);
  auto stack = stack_of(call);
  attention_operator().callBoxed(stack);
  return {.output = stack[0].toTensor(),
          .log_sum_exp = stack[1].toTensor(),
          .log_sum_exp_rest = stack[2].toTensor()};
}

}  // namespace heed
