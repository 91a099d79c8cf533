#include "heed/ops/attention.h"

namespace heed {

AttentionResult attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                          const AttentionOptions& options) {
  return attention_math(query, key, value, options);
}

}  // namespace heed
