#include "heed/nn/layers/embedding.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/nn/parameters/init.h"
#include "heed/ops/embedding.h"

namespace heed::nn {

Embedding::Embedding(const EmbeddingOptions& options)
    : padding_idx_(options.padding_idx), scale_(options.scale) {
  check_usage(std::isfinite(scale_) && scale_ > 0, "embedding: expected a positive scale, got ",
              scale_);
  weight = register_parameter("weight", at::empty({options.num_embeddings, options.embedding_dim}));
  if (!init_is_on()) return;
  const c10::AutoGradMode no_gradients(false);
  weight.normal_(0, options.std.value_or(1 / scale_));
  if (padding_idx_ >= 0) weight[padding_idx_].zero_();
}

at::Tensor Embedding::forward(const at::Tensor& ids) const {
  const at::Tensor vectors = heed::embedding(weight, ids, padding_idx_);
  return scale_ == 1 ? vectors : vectors * scale_;
}

}  // namespace heed::nn
