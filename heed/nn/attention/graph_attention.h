// Attention of the nodes of a graph over their neighbours, and the layer that reads what is known
// of them.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <string>
#include <vector>

#include "heed/nn/attention/attention_heads.h"
#include "heed/ops/pattern.h"

namespace heed::nn {

// Rows of a matrix of which little is not zero.
struct SparseMatrix {
  at::Tensor offsets;  // int64 (N + 1): row n has the entries offsets[n] .. offsets[n + 1) − 1
  at::Tensor columns;  // int64 (entries), 0 <= column < F
  at::Tensor values;   // float32 (entries)

  int64_t count() const { return offsets.size(0) - 1; }  // N
  SparseMatrix to(at::Device device) const;
};

// x · Wᵀ of sparse rows: costs what their entries cost.
class SparseLinear : public torch::nn::Module {
 public:
  SparseLinear(int64_t in, int64_t out);

  // (N, F) -> (N, out). `dropout`: of the values, in [0, 1).
  at::Tensor forward(const SparseMatrix& input, double dropout = 0) const;

  at::Tensor weight;  // (F, out), Xavier uniform
};

// "gat", "gatv2", "scaled_dot", "dot", "cosine", "additive".
std::vector<std::string> graph_score_names();

struct GraphAttentionOptions {
  int64_t num_heads = 1;  // H
  int64_t size = 0;       // D
  // gat: LeakyReLU(a · [q, k])               Veličković et al. 2018, "Graph attention networks"
  // gatv2: a · LeakyReLU(q + k)              Brody et al. 2022, "How attentive are graph …"
  // scaled_dot, dot, cosine, additive: of heed/ops/attention.h
  std::string score = "gat";
  double dropout = 0;  // of the weights, in training
};

// The projections belong to the layer above: whatever reads x may be sparse.
class GraphAttention : public torch::nn::Module {
 public:
  explicit GraphAttention(const GraphAttentionOptions& options);

  // What `forward` takes: H · D for each of the parts that the score has: one (gat), source and
  // target (gatv2), or query, key and value.
  int64_t projected_size() const;

  // projected (N, projected_size()), edges over N queries and keys -> (N, H, D).
  at::Tensor forward(const at::Tensor& projected, const Pattern& edges) const;

 private:
  struct Parts {
    at::Tensor query;  // (1, H, N, D or 1)
    at::Tensor key;
    at::Tensor value;  // (1, H, N, D)
  };
  int64_t parts() const;
  Parts split(const at::Tensor& projected) const;
  AttentionOptions options_for(const Pattern& edges) const;

  GraphAttentionOptions options_;
  at::Tensor score_parameter_;   // (H, D) or (H): what the score learns; undefined: nothing
  at::Tensor attention_source_;  // (H, D): of gat, what a key is multiplied with
  at::Tensor attention_target_;  // (H, D): and a query
};

}  // namespace heed::nn
