#include "heed/nn/embedding.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "heed/ops/embedding.h"

namespace heed::nn {

Embedding::Embedding(const EmbeddingOptions& options) : padding_id_(options.padding_id) {
  weight = register_parameter("weight", at::empty({options.count, options.width}));
  const c10::AutoGradMode no_gradients(false);
  weight.normal_(0, options.deviation);
  if (padding_id_ >= 0) weight[padding_id_].zero_();
}

at::Tensor Embedding::forward(const at::Tensor& ids) const {
  return heed::embedding(weight, ids, padding_id_);
}

}  // namespace heed::nn
