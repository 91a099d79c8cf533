#include "heed/ops/attention.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

#include "heed/base/error.h"
#include "heed/ops/attention/operators.h"

namespace heed {

AttentionResult attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                          const AttentionOptions& options) {
  check_usage(query.defined() && key.defined() && value.defined(),
              "attention: query, key and value must be defined tensors");
  const AttentionCall call{.query = query, .key = key, .value = value, .options = options};
  if (goes_straight(call) && !at::autocast::is_autocast_enabled(at::kCPU)) {
    return fused_attention(call);
  }
  auto stack = stack_of(call);
  attention_operator().callBoxed(stack);
  return {.output = stack[0].toTensor(),
          .log_sum_exp = stack[1].toTensor(),
          .log_sum_exp_rest = stack[2].toTensor()};
}

}  // namespace heed
