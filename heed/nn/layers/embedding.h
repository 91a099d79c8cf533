// A learned vector for each token id.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <optional>

namespace heed::nn {

struct EmbeddingOptions {
  int64_t num_embeddings = 0;  // V, ids are 0 .. V − 1
  int64_t embedding_dim = 0;   // C
  int64_t padding_idx = -1;    // its vector is zero and stays so; −1: none
  // Of what comes out: each vector times this. √C in Vaswani et al. 2017, section 3.4.
  double scale = 1;
  // Of the normal distribution that the vectors start from; none: 1 / scale, so that what comes out
  // has a deviation of 1, like the positions that are added to it. With much more the first
  // attention is saturated: each query sees one key, and learns slowly to see others.
  std::optional<double> std = {};
};

class Embedding : public torch::nn::Module {
 public:
  explicit Embedding(const EmbeddingOptions& options);

  // ids (...) int64 -> (..., C): weight[id] · scale. Throws DataError for an id outside [0, V).
  at::Tensor forward(const at::Tensor& ids) const;

  at::Tensor weight;  // (V, C)

 private:
  int64_t padding_idx_;
  double scale_;
};

}  // namespace heed::nn
