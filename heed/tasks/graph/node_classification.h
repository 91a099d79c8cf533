// Learning the classes of the nodes of a graph from some of them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "heed/data/graphs/graph_data.h"
#include "heed/models/files/graph_classifier_files.h"
#include "heed/nn/fields.h"
#include "heed/tasks/common/class_weights.h"
#include "heed/tasks/common/logit_scores.h"
#include "heed/tasks/common/task.h"
#include "heed/tasks/graph/graph_tensors.h"

namespace heed::tasks {

struct NodeClassificationOptions {
  models::GraphClassifierOptions model = {};  // features and classes are read from the data
  // Of each node at most so many that it attends to, drawn anew for each batch; 0: the whole graph
  // at once.
  int64_t num_neighbors = 0;
  std::string class_weight = "none";  // see class_weights()
};

// All but those of the model, which have a list of their own.
template <nn::OptionsOf<NodeClassificationOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(
      {.name = "num_neighbors",
       .help = "For graphs that outgrow memory: training reads batches of nodes, and of each node "
               "at most so many that it attends to, drawn anew; 0: the whole graph at once",
       .most = nn::kLargestSize,
       .group = "Graph"},
      o.num_neighbors);
  visit(class_weight_field("balanced: a node counts the more, the rarer its class"),
        o.class_weight);
}

// The whole graph is one training example: all nodes are read in each step, and the loss is that of
// those that train. Or, of graphs that outgrow memory, each node that trains is one, and a batch of
// them is read with what they attend to (graph_sampling.h).
class NodeClassification final : public Task {
 public:
  // A fresh model; features and classes are read from the data. Weights come from torch's default
  // generator. Throws DataError where no node trains or none validates, and for data without any
  // feature or a second class; UsageError for options that cannot be used.
  NodeClassification(const data::GraphData& data, const NodeClassificationOptions& options);

  std::string name() const override { return "graph"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<Source> sources() const override;
  Loss loss(const Batch& batch) override;
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override {
    return watched_among(watchable(), name, "accuracy");
  }
  static std::vector<Watched> watchable() {
    return {lowest("loss"), highest("accuracy"), highest("macro_f1")};
  }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedGraphClassifier& trained() const { return trained_; }

 private:
  Loss loss_of_some(const std::vector<int64_t>& examples);

  models::TrainedGraphClassifier trained_;
  Neighbors neighbours_;
  int64_t num_neighbors_;
  nn::SparseMatrix features_;
  Pattern edges_;
  std::vector<int32_t> classes_;
  std::vector<data::Part> parts_;
  at::Tensor train_;          // numbers of the nodes that train
  at::Tensor targets_;        // their classes
  at::Tensor class_weights_;  // (C) float32; undefined: all are one
  std::vector<int64_t> lengths_;
};

// Shares of the nodes that have a class, drawn by `seed`, the same of each class; the others train.
// Throws UsageError where the shares leave nothing to train.
std::vector<data::Part> parts_by_shares(const data::GraphData& data, double valid_share,
                                        double test_share, uint64_t seed);

// Probabilities (N, C) of all nodes.
at::Tensor probabilities(const models::TrainedGraphClassifier& trained,
                         const data::GraphData& data);

// Of the nodes of a part that have a class; kNone: of all that have one. Throws DataError where
// there is none.
struct NodeEvaluation {
  ClassificationScores model;
  std::vector<int64_t> nodes;  // n, those that were measured
  at::Tensor probabilities;    // (n, C) float64
  // Accuracies; none without a training part.
  std::vector<std::pair<std::string, double>> baselines;
};
NodeEvaluation evaluate(const models::TrainedGraphClassifier& trained, const data::GraphData& data,
                        data::Part part);

}  // namespace heed::tasks
