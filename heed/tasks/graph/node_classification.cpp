#include "heed/tasks/graph/node_classification.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "heed/base/error.h"
#include "heed/data/shuffle.h"
#include "heed/nn/layers/dropout_seed.h"
#include "heed/tasks/common/logit_scores.h"
#include "heed/tasks/common/sources.h"
#include "heed/tasks/graph/graph_sampling.h"
#include "heed/tasks/graph/node_baselines.h"

namespace heed::tasks {
namespace {

std::vector<int64_t> nodes_of(const std::vector<int32_t>& classes,
                              const std::vector<data::Part>& parts, data::Part part) {
  std::vector<int64_t> nodes;
  for (size_t i = 0; i < classes.size(); ++i) {
    const bool meant = part == data::Part::kNone || parts[i] == part;
    if (meant && classes[i] >= 0) nodes.push_back(static_cast<int64_t>(i));
  }
  return nodes;
}

ClassificationScores node_scores(const at::Tensor& logits, const std::vector<int32_t>& classes,
                                 const std::vector<int64_t>& nodes) {
  std::vector<int32_t> actual;
  for (const int64_t node : nodes) actual.push_back(classes[static_cast<size_t>(node)]);
  return scores_of_logits(logits.index_select(0, at::tensor(nodes, at::kLong)), actual);
}

double accuracy_of(const at::Tensor& answers, const std::vector<int32_t>& classes,
                   const std::vector<int64_t>& nodes) {
  const auto* first = answers.const_data_ptr<int64_t>();
  const auto right = std::count_if(nodes.begin(), nodes.end(), [&](int64_t node) {
    return first[node] == classes[static_cast<size_t>(node)];
  });
  return static_cast<double>(right) / static_cast<double>(nodes.size());
}

at::Tensor logits_of(const models::TrainedGraphClassifier& trained, const data::GraphData& data) {
  const c10::InferenceMode inference;
  return trained.model->forward(sparse_rows(data, trained.features),
                                pattern_of(neighbors_of(data, trained.model->options().directed)));
}

}  // namespace

NodeClassification::NodeClassification(const data::GraphData& data,
                                       const NodeClassificationOptions& options)
    : neighbours_(neighbors_of(data, options.model.directed)),
      num_neighbors_(options.num_neighbors),
      classes_(data.classes),
      parts_(data.parts) {
  visit_fields(options, nn::FieldCheck());
  trained_.labels = data.labels;
  trained_.features = features_of(data);
  trained_.columns = role_columns(data);
  const std::vector<int64_t> train = nodes_of(classes_, parts_, data::Part::kTrain);
  const auto need = [&](bool holds, const std::string& what) {
    if (!holds) throw DataError(data.file, what);
  };
  need(!trained_.features.empty(),
       "expected a column with something known of the nodes, found none");
  need(data.labels.size() >= 2, text_of("expected at least 2 classes, found ", data.labels.size()));
  need(!train.empty(), "expected nodes that train, found none");
  need(!nodes_of(classes_, parts_, data::Part::kValid).empty(),
       "expected nodes that validate and have a class, found none");
  models::GraphClassifierOptions model = options.model;
  model.num_features = models::count_of(trained_.features);
  model.num_classes = std::ssize(data.labels);
  // Each node has the logits of all classes, of each head.
  check_classes_fit(
      text_of(model.num_classes, " classes of ", data.nodes.size(), " nodes"),
      (model.d_model + std::ssize(data.nodes)) * model.num_output_heads * model.num_classes);
  features_ = sparse_rows(data, trained_.features);
  edges_ = pattern_of(neighbours_);
  std::vector<int64_t> targets;
  std::vector<int64_t> counts(data.labels.size(), 0);
  for (const int64_t node : train) {
    targets.push_back(classes_[static_cast<size_t>(node)]);
    ++counts[static_cast<size_t>(targets.back())];
  }
  class_weights_ = class_weights(options.class_weight, counts);
  train_ = at::tensor(train);
  targets_ = at::tensor(targets);
  if (num_neighbors_ == 0) {
    lengths_ = {std::ssize(data.nodes)};
  } else {
    lengths_.assign(train.size(), 1);
  }
  trained_.model = std::make_shared<models::GraphClassifier>(model);
}

std::vector<Source> NodeClassification::sources() const {
  return {source_of("graph", [&](Checksum& sum) {
    for (const at::Tensor& numbers : {features_.offsets, features_.columns}) {
      sum.add(numbers.const_data_ptr(), numbers.nbytes());
    }
    sum.add(features_.values.const_data_ptr(), features_.values.nbytes());
    for (const at::Tensor& numbers : edges_.parts().tensors) {
      sum.add(numbers.const_data_ptr(), numbers.nbytes());
    }
    sum.add(classes_);
    for (const data::Part part : parts_) sum.add(static_cast<int32_t>(part));
    sum.add(trained_.labels);
  })};
}

Loss NodeClassification::loss_of_some(const std::vector<int64_t>& examples) {
  const at::Device device = device_of(*trained_.model);
  const at::Tensor chosen = at::tensor(examples);
  const at::Tensor asked = train_.index_select(0, chosen);
  const auto* first = asked.const_data_ptr<int64_t>();
  const Subgraph part = sampled_subgraph(neighbours_, {first, first + asked.size(0)},
                                         {.hops = trained_.model->options().num_layers,
                                          .most = num_neighbors_,
                                          .seed = nn::draw_seed()});
  const at::Tensor logits =
      trained_.model->forward(chosen_rows(features_, part.nodes).to(device), pattern_of(part.seen));
  return class_loss(logits.narrow(0, 0, asked.size(0)), targets_.index_select(0, chosen).to(device),
                    class_weights_,
                    /*label_smoothing=*/0, std::ssize(part.nodes));
}

Loss NodeClassification::loss(const Batch& batch) {
  if (num_neighbors_ > 0) return loss_of_some(batch.examples);
  const at::Device device = device_of(*trained_.model);
  const at::Tensor logits = trained_.model->forward(features_.to(device), edges_);
  return class_loss(logits.index_select(0, train_.to(device)), targets_.to(device), class_weights_,
                    /*label_smoothing=*/0, lengths_[0]);
}

Metrics NodeClassification::validate(const Progress& /*progress*/) {
  const c10::InferenceMode inference;
  const at::Device device = device_of(*trained_.model);
  const at::Tensor logits = trained_.model->forward(features_.to(device), edges_).cpu();
  return node_scores(logits, classes_, nodes_of(classes_, parts_, data::Part::kValid)).metrics;
}

void NodeClassification::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

std::vector<data::Part> parts_by_shares(const data::GraphData& data, double valid_share,
                                        double test_share, uint64_t seed) {
  check_usage(valid_share >= 0 && test_share >= 0 && valid_share + test_share < 1,
              "valid_share: expected a share that is below 1 together with that of the test (",
              test_share, "), got ", valid_share);
  std::map<int32_t, std::vector<size_t>> of_class;
  for (size_t i = 0; i < data.nodes.size(); ++i) {
    if (data.classes[i] >= 0) of_class[data.classes[i]].push_back(i);
  }
  std::vector<data::Part> parts(data.nodes.size(), data::Part::kNone);
  std::mt19937_64 random(seed);
  for (auto& [label, nodes] : of_class) {
    data::shuffle(nodes, random);
    const auto count = static_cast<double>(nodes.size());
    const auto valid = static_cast<size_t>(std::lround(count * valid_share));
    const auto test = static_cast<size_t>(std::lround(count * test_share));
    for (size_t i = 0; i < nodes.size(); ++i) {
      parts[nodes[i]] = i < valid          ? data::Part::kValid
                        : i < valid + test ? data::Part::kTest
                                           : data::Part::kTrain;
    }
  }
  return parts;
}

at::Tensor probabilities(const models::TrainedGraphClassifier& trained,
                         const data::GraphData& data) {
  return at::softmax(logits_of(trained, data), 1);
}

NodeEvaluation evaluate(const models::TrainedGraphClassifier& trained, const data::GraphData& data,
                        data::Part part) {
  const std::vector<int64_t> nodes = nodes_of(data.classes, data.parts, part);
  if (nodes.empty()) {
    throw DataError(data.file,
                    "expected nodes with a class in the part that is measured, found none");
  }
  const at::Tensor logits = logits_of(trained, data);
  NodeEvaluation result{
      .model = node_scores(logits, data.classes, nodes),
      .nodes = nodes,
      .probabilities = at::softmax(logits.index_select(0, at::tensor(nodes)).to(at::kDouble), 1),
      .baselines = {}};
  const bool has_train = !nodes_of(data.classes, data.parts, data::Part::kTrain).empty();
  const bool has_valid = !nodes_of(data.classes, data.parts, data::Part::kValid).empty();
  if (!has_train || !has_valid || part == data::Part::kNone) return result;
  const auto add = [&](const char* name, const at::Tensor& answers) {
    result.baselines.emplace_back(name, accuracy_of(answers, data.classes, nodes));
  };
  add("features alone", linear_classes(data, sparse_rows(data, trained.features),
                                       trained.model->options().num_features));
  add("edges alone", spread_classes(data, neighbors_of(data, trained.model->options().directed)));
  return result;
}

}  // namespace heed::tasks
