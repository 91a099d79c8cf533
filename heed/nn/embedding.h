// A learned vector for each token id.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>

namespace heed::nn {

struct EmbeddingOptions {
  int64_t num_embeddings = 0;  // V, ids are 0 .. V − 1
  int64_t embedding_dim = 0;   // C
  int64_t padding_idx = -1;    // its vector is zero and stays so; −1: none
  double std = 1;              // of the normal distribution that the vectors start from
};

class Embedding : public torch::nn::Module {
 public:
  explicit Embedding(const EmbeddingOptions& options);

  // ids (...) int64 -> (..., C). Throws DataError for an id outside [0, V).
  at::Tensor forward(const at::Tensor& ids) const;

  at::Tensor weight;  // (V, C)

 private:
  int64_t padding_idx_;
};

}  // namespace heed::nn
