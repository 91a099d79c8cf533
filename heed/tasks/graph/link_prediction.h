// Learning which nodes of a graph are linked: two nodes are, the more so the larger the product of
// their vectors.            Kipf & Welling 2016, "Variational Graph Auto-Encoders", section 2 (GAE)
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "heed/data/graphs/graph_data.h"
#include "heed/models/files/graph_classifier_files.h"
#include "heed/nn/attention/graph_attention.h"
#include "heed/nn/fields.h"
#include "heed/tasks/common/task.h"

namespace heed::tasks {

using NodePairs = std::vector<std::pair<int32_t, int32_t>>;

struct LinkPredictionOptions {
  // Features are read from the data.
  models::GraphClassifierOptions model = {
      .num_output_heads = 4, .dropout = 0.2, .attention_dropout = 0.2};
  int64_t vector_size = 32;   // of a node: what the model has in place of classes
  double valid_share = 0.05;  // of the edges, which are not read and not trained on
  double test_share = 0.1;
  uint64_t seed = 1;  // draws these, and as many pairs without an edge
};

// Those of the model and of how the edges are shared out apart.
template <nn::OptionsOf<LinkPredictionOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::Field{.name = "vector_size",
                  .help = "Size of the vector that a node becomes",
                  .least = 2,
                  .most = nn::kLargestSize},
        o.vector_size);
}

// Pairs with an edge, and as many others without.
struct LinkPairs {
  NodePairs linked;
  NodePairs others;
};

// The edges of a graph, each counted once whichever way it goes, in three parts.
struct LinkSplit {
  NodePairs train;
  LinkPairs valid;
  LinkPairs test;
};

class LinkPrediction final : public Task {
 public:
  // A fresh model. Weights come from torch's default generator. Throws DataError for a graph
  // without features or with too few edges, UsageError for options that cannot be used.
  LinkPrediction(const data::GraphData& data, const LinkPredictionOptions& options);

  std::string name() const override { return "links"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<Source> sources() const override;
  Loss loss(const Batch& batch) override;  // of the whole graph: each edge, and as many other pairs
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override {
    return watched_among(watchable(), name, "auc");
  }
  static std::vector<Watched> watchable() {
    return {lowest("loss"), highest("auc"), highest("average_precision")};
  }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedGraphClassifier& trained() const { return trained_; }
  const LinkSplit& split() const { return split_; }

 private:
  models::TrainedGraphClassifier trained_;
  nn::SparseMatrix features_;
  Pattern edges_;
  LinkSplit split_;
  at::Tensor linked_;  // (2, E) of the edges that train
  std::vector<int64_t> lengths_;
};

// As many pairs without an edge as asked for, drawn evenly by `seed`, none twice. `linked`: pairs
// that have one. Throws DataError where the graph has not so many.
NodePairs pairs_without_edge(const data::GraphData& data, const NodePairs& linked, size_t count,
                             uint64_t seed);

// The graph with these edges alone.
data::GraphData with_edges(const data::GraphData& data, const NodePairs& edges);

// The logit of each pair being linked, from what is known of the nodes and the edges of `data`.
std::vector<float> link_scores(const models::TrainedGraphClassifier& trained,
                               const data::GraphData& data, const NodePairs& pairs);

// auc, average_precision and pairs, of the model and of what a sceptic would try first: neighbours
// that both have ("common neighbours"); the same, each by 1 / log of its degree ("adamic adar",
// Adamic & Adar 2003); the cosine of what is known of both ("features alone").
struct LinkEvaluation {
  Metrics model;
  std::vector<std::pair<std::string, Metrics>> baselines;
};
LinkEvaluation evaluate(const models::TrainedGraphClassifier& trained, const data::GraphData& data,
                        const LinkPairs& pairs);

}  // namespace heed::tasks
