#include "heed/tasks/graph/node_baselines.h"

#include <ATen/ATen.h>

#include <cmath>

namespace heed::tasks {
namespace {

constexpr int64_t kMostTrained = 3000;
constexpr int kSpreadings = 50;

std::vector<int64_t> nodes_of(const data::GraphData& data, data::Part part) {
  std::vector<int64_t> nodes;
  for (size_t i = 0; i < data.nodes.size(); ++i) {
    if (data.parts[i] == part && data.classes[i] >= 0) nodes.push_back(static_cast<int64_t>(i));
  }
  return nodes;
}

at::Tensor classes_of(const data::GraphData& data, const std::vector<int64_t>& nodes) {
  std::vector<int64_t> classes;
  for (const int64_t node : nodes) classes.push_back(data.classes[static_cast<size_t>(node)]);
  return at::tensor(classes, at::kLong);
}

// (nodes, C) with a 1 for each class.
at::Tensor one_hot(const data::GraphData& data, const std::vector<int64_t>& nodes) {
  return at::one_hot(classes_of(data, nodes), std::ssize(data.labels)).to(at::kFloat);
}

// The answer, among several, that is right most often on the nodes that validate.
template <typename Setting, typename Answer>
at::Tensor best_of(const data::GraphData& data, std::initializer_list<Setting> settings,
                   const Answer& answer) {
  const std::vector<int64_t> valid = nodes_of(data, data::Part::kValid);
  const at::Tensor classes = classes_of(data, valid);
  at::Tensor best;
  int64_t most = -1;
  for (const Setting setting : settings) {
    const at::Tensor found = answer(setting);
    const auto right = found.index_select(0, at::tensor(valid, at::kLong))
                           .eq(classes)
                           .sum()
                           .template item<int64_t>();
    if (right <= most) continue;
    most = right;
    best = found;
  }
  return best;
}

// (N, F) by its entries -> (N, F) dense, of these rows.
at::Tensor dense_rows(const nn::SparseMatrix& rows, const std::vector<int64_t>& nodes,
                      int64_t num_features) {
  const at::Tensor dense = at::zeros({std::ssize(nodes), num_features});
  auto* to = dense.mutable_data_ptr<float>();
  const auto* offsets = rows.offsets.const_data_ptr<int64_t>();
  const auto* columns = rows.columns.const_data_ptr<int64_t>();
  const auto* values = rows.values.const_data_ptr<float>();
  for (const int64_t node : nodes) {
    for (int64_t i = offsets[node]; i < offsets[node + 1]; ++i) to[columns[i]] = values[i];
    to += num_features;
  }
  return dense;
}

// X · W of sparse rows, W (F, C).
at::Tensor product(const nn::SparseMatrix& rows, const at::Tensor& weight) {
  return std::get<0>(at::embedding_bag(weight, rows.columns, rows.offsets, false, /*mode=*/0, false,
                                       rows.values, /*include_last_offset=*/true));
}

}  // namespace

at::Tensor linear_classes(const data::GraphData& data, const nn::SparseMatrix& features,
                          int64_t num_features) {
  const std::vector<int64_t> all = nodes_of(data, data::Part::kTrain);
  const int64_t step = (std::ssize(all) + kMostTrained - 1) / kMostTrained;
  std::vector<int64_t> train;
  for (int64_t i = 0; i < std::ssize(all); i += step) train.push_back(all[static_cast<size_t>(i)]);
  const at::Tensor x = dense_rows(features, train, num_features);
  const at::Tensor y = one_hot(data, train);
  const at::Tensor mean = y.mean(0, true);
  const at::Tensor products = x.matmul(x.t()).to(at::kDouble);
  const double size = products.diagonal().mean().item<double>() + 1e-12;
  // The weights are Xᵀ(XXᵀ + λ)⁻¹Y.
  return best_of(data, {0.01, 0.1, 1.0, 10.0}, [&](double share) {
    const at::Tensor penalised =
        products + share * size * at::eye(products.size(0), products.options());
    const at::Tensor solved =
        at::linalg_solve(penalised, (y - mean).to(at::kDouble)).to(at::kFloat);
    return (product(features, x.t().matmul(solved)) + mean).argmax(1);
  });
}

at::Tensor spread_classes(const data::GraphData& data, const Neighbors& neighbours) {
  const auto count = std::ssize(data.nodes);
  const auto classes = std::ssize(data.labels);
  const std::vector<int64_t> train = nodes_of(data, data::Part::kTrain);
  const at::Tensor known = at::zeros({count, classes});
  known.index_copy_(0, at::tensor(train, at::kLong), one_hot(data, train));
  // D^−½ A D^−½, a node being its own neighbour.
  std::vector<float> roots;
  for (int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<size_t>(i);
    roots.push_back(
        1 / std::sqrt(static_cast<float>(neighbours.offsets[at + 1] - neighbours.offsets[at])));
  }
  std::vector<float> weights;
  for (int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<size_t>(i);
    for (int64_t j = neighbours.offsets[at]; j < neighbours.offsets[at + 1]; ++j) {
      weights.push_back(roots[at] *
                        roots[static_cast<size_t>(neighbours.nodes[static_cast<size_t>(j)])]);
    }
  }
  const nn::SparseMatrix edges{.offsets = at::tensor(neighbours.offsets),
                               .columns = at::tensor(neighbours.nodes),
                               .values = at::tensor(weights)};
  return best_of(data, {0.5, 0.8, 0.9, 0.95, 0.99}, [&](double share) {
    at::Tensor spread = known;
    for (int i = 0; i < kSpreadings; ++i) {
      spread = share * product(edges, spread) + (1 - share) * known;
    }
    return spread.argmax(1);
  });
}

}  // namespace heed::tasks
