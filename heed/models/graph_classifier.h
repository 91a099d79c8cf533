// A graph attention network: each layer reads of every node what its neighbours say, weighed by
// attention; the last one gives the classes.       Veličković et al. 2018, Brody et al. 2022
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/nn/attention/graph_attention.h"
#include "heed/nn/fields.h"
#include "heed/nn/layers/linear.h"

namespace heed::models {

struct GraphClassifierOptions {
  int64_t num_features = 0;  // F
  int64_t num_classes = 0;   // C
  int64_t d_model = 64;      // of each layer but the last: all heads together
  int64_t num_heads = 8;
  int64_t num_output_heads = 1;  // of the last layer, whose heads are averaged
  int64_t num_layers = 2;
  std::string score = "gat";  // see nn::GraphAttentionOptions
  double dropout = 0.6;       // of what a layer reads
  double attention_dropout = 0.6;
  bool directed = false;  // a node attends to those with an edge to it alone
};

template <nn::OptionsOf<GraphClassifierOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::size_field("num_features"), o.num_features);
  visit(nn::Field{.name = "num_classes", .least = 2, .most = nn::kLargestSize}, o.num_classes);
  visit(nn::size_field("d_model", "Size of a node's vector, all heads together"), o.d_model);
  visit(nn::size_field("num_heads", "Attention heads, a divisor of d_model"), o.num_heads);
  visit(nn::size_field("num_output_heads", "Heads of the last layer, which are averaged"),
        o.num_output_heads);
  visit(nn::layers_field("num_layers", "Layers: how many edges away a node sees"), o.num_layers);
  visit(nn::Field{.name = "score",
                  .help = "Attention score of a neighbour",
                  .choices = nn::graph_score_names},
        o.score);
  visit(nn::share_field("dropout", "Share of what a layer reads that is dropped"), o.dropout);
  visit(nn::share_field("attention_dropout", "Share of attention weights dropped"),
        o.attention_dropout);
  visit(nn::Field{.name = "directed",
                  .help = "A node attends to those with an edge to it alone, and not to those it "
                          "has an edge to"},
        o.directed);
}

// Throws UsageError naming the field that cannot be used.
void check(const GraphClassifierOptions& options);

class GraphClassifier : public torch::nn::Module {
 public:
  explicit GraphClassifier(const GraphClassifierOptions& options);

  // Features of N nodes and the edges over them, each node a query, those that it attends to keys
  // -> (N, C) logits.
  at::Tensor forward(const nn::SparseMatrix& features, const Pattern& edges) const;

  const GraphClassifierOptions& options() const { return options_; }

 private:
  // What layer i makes of the output of the one before; the first one of the features.
  at::Tensor projected(size_t layer, const nn::SparseMatrix& features, const at::Tensor& x) const;
  at::Tensor joined(size_t layer, const at::Tensor& heads) const;

  GraphClassifierOptions options_;
  std::shared_ptr<nn::SparseLinear> input_;
  std::vector<std::shared_ptr<nn::Linear>> projections_;  // of the second layer and those behind it
  std::vector<std::shared_ptr<nn::GraphAttention>> layers_;
  std::vector<at::Tensor> biases_;
};

}  // namespace heed::models
