#include "heed/ops/attention.h"

#include "heed/base/error.h"
#include "heed/ops/attention/operators.h"

namespace heed {

AttentionResult attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                          const AttentionOptions& options) {
  check_usage(query.defined() && key.defined() && value.defined(),
              "attention: query, key and value must be defined tensors");
  auto stack = stack_of({.query = query, .key = key, .value = value, .options = options});
  attention_operator().callBoxed(stack);
  return {.output = stack[0].toTensor(),
          .log_sum_exp = stack[1].toTensor(),
          .log_sum_exp_rest = stack[2].toTensor()};
}

}  // namespace heed
