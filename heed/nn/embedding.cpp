#include "heed/nn/embedding.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "heed/ops/embedding.h"

namespace heed::nn {

Embedding::Embedding(const EmbeddingOptions& options) : padding_idx_(options.padding_idx) {
  weight = register_parameter("weight", at::empty({options.num_embeddings, options.embedding_dim}));
  const c10::AutoGradMode no_gradients(false);
  weight.normal_(0, options.std);
  if (padding_idx_ >= 0) weight[padding_idx_].zero_();
}

at::Tensor Embedding::forward(const at::Tensor& ids) const {
  return heed::embedding(weight, ids, padding_idx_);
}

}  // namespace heed::nn
