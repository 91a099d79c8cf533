#include "heed/tasks/graph/link_prediction.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <set>

#include "heed/base/error.h"
#include "heed/data/shuffle.h"
#include "heed/metrics/separation.h"
#include "heed/tasks/common/sources.h"
#include "heed/tasks/graph/graph_tensors.h"

namespace heed::tasks {
namespace {

using Scores = std::vector<float>;

// Each edge once, whichever way it goes, in one order.
NodePairs both_ways_once(const NodePairs& edges) {
  std::set<std::pair<int32_t, int32_t>> once;
  for (const auto& [a, b] : edges) {
    if (a != b) once.emplace(std::min(a, b), std::max(a, b));
  }
  return {once.begin(), once.end()};
}

LinkSplit split_of(const data::GraphData& data, const LinkPredictionOptions& o) {
  check_usage(o.valid_share > 0 && o.test_share >= 0 && o.valid_share + o.test_share < 1,
              "shares of validation and test: expected the first above 0 and a sum below 1, got ",
              o.valid_share, " and ", o.test_share);
  const NodePairs all = both_ways_once(data.edges);
  NodePairs shuffled = all;
  std::mt19937_64 random(o.seed);
  data::shuffle(shuffled, random);
  const auto count = static_cast<double>(all.size());
  const auto valid = static_cast<ptrdiff_t>(std::lround(count * o.valid_share));
  const auto test = static_cast<ptrdiff_t>(std::lround(count * o.test_share));
  if (valid < 1 || std::ssize(all) - valid - test < 1) {
    throw DataError(data.file, text_of("expected edges to train and to validate on, found ",
                                       all.size(), " in all"));
  }
  const auto first = shuffled.begin();
  LinkSplit split{.train = {first + valid + test, shuffled.end()},
                  .valid = {.linked = {first, first + valid}, .others = {}},
                  .test = {.linked = {first + valid, first + valid + test}, .others = {}}};
  NodePairs others = pairs_without_edge(data, all, static_cast<size_t>(valid + test), o.seed);
  split.valid.others.assign(others.begin(), others.begin() + valid);
  split.test.others.assign(others.begin() + valid, others.end());
  return split;
}

at::Tensor ends_of(const NodePairs& pairs) {
  std::vector<int64_t> ends;
  for (const auto& [a, b] : pairs) ends.push_back(a);
  for (const auto& [a, b] : pairs) ends.push_back(b);
  return at::tensor(ends, at::kLong).reshape({2, -1});
}

// The products of the vectors (N, C) of these pairs (2, P).
at::Tensor products(const at::Tensor& vectors, const at::Tensor& ends) {
  return (vectors.index_select(0, ends[0]) * vectors.index_select(0, ends[1])).sum(1);
}

Scores floats_of(const at::Tensor& values) {
  const at::Tensor whole = values.to(at::kFloat).contiguous();
  const auto* first = whole.const_data_ptr<float>();
  return {first, first + whole.numel()};
}

Metrics metrics_of(const Scores& linked, const Scores& others) {
  return {{"auc", metrics::roc_auc(linked, others)},
          {"average_precision", metrics::average_precision(linked, others)},
          {"pairs", static_cast<double>(linked.size() + others.size())}};
}

// The sum over the nodes that both attend to, beside themselves.
Scores shared(const Neighbors& heard, const NodePairs& pairs,
              const std::function<double(size_t degree)>& weight) {
  Scores scores;
  const auto begin_of = [&](int32_t node) {
    return heard.nodes.begin() + heard.offsets[static_cast<size_t>(node)];
  };
  for (const auto& [a, b] : pairs) {
    std::vector<int64_t> both;
    std::set_intersection(begin_of(a), begin_of(a + 1), begin_of(b), begin_of(b + 1),
                          std::back_inserter(both));
    double sum = 0;
    for (const int64_t node : both) {
      if (node == a || node == b) continue;
      const auto at = static_cast<size_t>(node);
      sum += weight(static_cast<size_t>(heard.offsets[at + 1] - heard.offsets[at] - 1));
    }
    scores.push_back(static_cast<float>(sum));
  }
  return scores;
}

// Of rows whose columns rise.
Scores cosines(const nn::SparseMatrix& rows, const NodePairs& pairs) {
  const auto* offsets = rows.offsets.const_data_ptr<int64_t>();
  const auto* columns = rows.columns.const_data_ptr<int64_t>();
  const auto* values = rows.values.const_data_ptr<float>();
  const auto product = [&](int32_t a, int32_t b) {
    double sum = 0;
    int64_t i = offsets[a], j = offsets[b];
    while (i < offsets[a + 1] && j < offsets[b + 1]) {
      if (columns[i] == columns[j]) {
        sum += static_cast<double>(values[i++]) * values[j++];
      } else {
        ++(columns[i] < columns[j] ? i : j);
      }
    }
    return sum;
  };
  Scores scores;
  for (const auto& [a, b] : pairs) {
    const double lengths = std::sqrt(product(a, a) * product(b, b));
    scores.push_back(static_cast<float>(lengths > 0 ? product(a, b) / lengths : 0));
  }
  return scores;
}

}  // namespace

NodePairs pairs_without_edge(const data::GraphData& data, const NodePairs& linked, size_t count,
                             uint64_t seed) {
  const auto nodes = static_cast<uint64_t>(data.nodes.size());
  const NodePairs all = both_ways_once(linked);
  std::set<std::pair<int32_t, int32_t>> taken(all.begin(), all.end());
  // Half of those there are: with fewer, drawing would take for ever.
  if (nodes * (nodes - 1) / 2 < taken.size() + 2 * count) {
    throw DataError(data.file, text_of("expected a graph with ", 2 * count,
                                       " pairs without an edge to draw from, found fewer"));
  }
  std::mt19937_64 random(seed);
  NodePairs pairs;
  while (pairs.size() < count) {
    const auto a = static_cast<int32_t>(random() % nodes);
    const auto b = static_cast<int32_t>(random() % nodes);
    if (a == b || !taken.emplace(std::min(a, b), std::max(a, b)).second) continue;
    pairs.emplace_back(a, b);
  }
  return pairs;
}

data::GraphData with_edges(const data::GraphData& data, const NodePairs& edges) {
  data::GraphData other = data;
  other.edges = edges;
  return other;
}

LinkPrediction::LinkPrediction(const data::GraphData& data, const LinkPredictionOptions& options)
    : split_(split_of(data, options)) {
  visit_fields(options, nn::FieldCheck());
  trained_.features = features_of(data);
  trained_.columns = role_columns(data);
  if (trained_.features.empty()) {
    throw DataError(data.file, "expected a column with something known of the nodes, found none");
  }
  models::GraphClassifierOptions model = options.model;
  model.num_classes = options.vector_size;
  model.num_features = models::count_of(trained_.features);
  features_ = sparse_rows(data, trained_.features);
  edges_ = pattern_of(neighbors_of(with_edges(data, split_.train), /*directed=*/false));
  linked_ = ends_of(split_.train);
  lengths_ = {std::ssize(data.nodes)};
  trained_.model = std::make_shared<models::GraphClassifier>(model);
}

std::vector<Source> LinkPrediction::sources() const {
  return {source_of("graph", [&](Checksum& sum) {
    for (const at::Tensor& numbers : {features_.offsets, features_.columns}) {
      sum.add(numbers.const_data_ptr(), numbers.nbytes());
    }
    sum.add(features_.values.const_data_ptr(), features_.values.nbytes());
    for (const NodePairs* pairs : {&split_.train, &split_.valid.linked, &split_.valid.others}) {
      for (const auto& [a, b] : *pairs) {
        sum.add(a);
        sum.add(b);
      }
    }
  })};
}

Loss LinkPrediction::loss(const Batch& /*batch*/) {
  const at::Device device = device_of(*trained_.model);
  const at::Tensor vectors = trained_.model->forward(features_.to(device), edges_);
  const int64_t count = linked_.size(1);
  // Few of the pairs that are drawn have an edge, and those are not worth looking for.
  const at::Tensor drawn = at::randint(lengths_[0], {2, count}, at::kLong);
  const at::Tensor logits = products(vectors, at::cat({linked_, drawn}, 1).to(device));
  const at::Tensor targets = at::cat({at::ones({count}), at::zeros({count})}).to(device);
  return {.value = at::binary_cross_entropy_with_logits(logits, targets),
          .tokens = lengths_[0],
          .weight = static_cast<double>(2 * count)};
}

Metrics LinkPrediction::validate(const Progress& /*progress*/) {
  const c10::InferenceMode inference;
  const at::Device device = device_of(*trained_.model);
  const at::Tensor vectors = trained_.model->forward(features_.to(device), edges_).cpu();
  const at::Tensor linked = products(vectors, ends_of(split_.valid.linked));
  const at::Tensor others = products(vectors, ends_of(split_.valid.others));
  Metrics all = metrics_of(floats_of(linked), floats_of(others));
  const double loss =
      -(at::log_sigmoid(linked).mean() + at::log_sigmoid(-others).mean()).item<double>() / 2;
  all.insert(all.begin(), {"loss", loss});
  return all;
}

void LinkPrediction::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

std::vector<float> link_scores(const models::TrainedGraphClassifier& trained,
                               const data::GraphData& data, const NodePairs& pairs) {
  const c10::InferenceMode inference;
  const at::Tensor vectors = trained.model->forward(
      sparse_rows(data, trained.features), pattern_of(neighbors_of(data, /*directed=*/false)));
  return floats_of(products(vectors, ends_of(pairs)));
}

LinkEvaluation evaluate(const models::TrainedGraphClassifier& trained, const data::GraphData& data,
                        const LinkPairs& pairs) {
  if (pairs.linked.empty()) throw DataError(data.file, "expected links to measure, found none");
  const auto measured = [&](const auto& scores_of) {
    return metrics_of(scores_of(pairs.linked), scores_of(pairs.others));
  };
  const c10::InferenceMode inference;
  const Neighbors heard = neighbors_of(data, /*directed=*/false);
  const nn::SparseMatrix features = sparse_rows(data, trained.features);
  const at::Tensor vectors = trained.model->forward(features, pattern_of(heard));
  LinkEvaluation result{.model = measured([&](const NodePairs& some) {
                          return floats_of(products(vectors, ends_of(some)));
                        }),
                        .baselines = {}};
  result.baselines.emplace_back("common neighbours", measured([&](const NodePairs& some) {
                                  return shared(heard, some, [](size_t) { return 1.0; });
                                }));
  result.baselines.emplace_back("adamic adar", measured([&](const NodePairs& some) {
                                  return shared(heard, some, [](size_t degree) {
                                    return 1 / std::log(static_cast<double>(degree));
                                  });
                                }));
  result.baselines.emplace_back(
      "features alone", measured([&](const NodePairs& some) { return cosines(features, some); }));
  return result;
}

}  // namespace heed::tasks
