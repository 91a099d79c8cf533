#include "heed/tasks/table/table_baselines.h"

#include <ATen/ATen.h>

#include <numeric>

namespace heed::tasks {
namespace {

constexpr int64_t kMostFeatures = 2000;
constexpr double kPenalty = 1;

// (N, D) float64: numbers, gaps, categories as ones, and a one.
at::Tensor features(const models::TrainedTable& trained, const EncodedTable& table) {
  std::vector<int64_t> all(static_cast<size_t>(table.rows));
  std::iota(all.begin(), all.end(), int64_t{0});
  const auto& o = trained.model->options();
  const models::TableBatch batch = table_batch(trained.columns, /*num_bins=*/0, table, all);
  const at::Tensor ones = at::zeros({table.rows, o.num_category_vectors});
  if (o.num_categories > 0) ones.scatter_(1, batch.categories, 1);
  return at::cat({batch.numbers.select(2, 0), batch.gaps, ones, at::ones({table.rows, 1})}, 1)
      .to(at::kDouble);
}

// (N, classes) with a one each, or (N, 1) numbers.
at::Tensor wanted(const models::TrainedTable& trained, const data::TableColumn& target) {
  if (trained.is_regression()) return at::tensor(target.numbers).unsqueeze(1);
  return at::one_hot(at::tensor(target.categories).to(at::kLong), std::ssize(trained.labels))
      .to(at::kDouble);
}

}  // namespace

std::vector<std::pair<std::string, TableScores>> table_baselines(
    const models::TrainedTable& trained, const data::TableData& train,
    const data::TableData& measured) {
  const at::Tensor y = wanted(trained, *train.target);
  const auto scores = [&](const at::Tensor& outputs) {
    return scores_of(trained, outputs, *measured.target);
  };
  const at::Tensor mean = y.mean(0, true);
  std::vector<std::pair<std::string, TableScores>> all = {
      {"constant", scores(mean.expand({measured.rows(), -1}))}};
  const auto& o = trained.model->options();
  if (2 * o.num_numbers + o.num_category_vectors > kMostFeatures) return all;
  const at::Tensor x = features(trained, encode(trained.columns, train));
  const at::Tensor products = x.t().matmul(x);
  const at::Tensor weights = at::linalg_solve(
      products + kPenalty * at::eye(products.size(0), products.options()), x.t().matmul(y - mean));
  all.emplace_back(
      "linear",
      scores(features(trained, encode(trained.columns, measured)).matmul(weights) + mean));
  return all;
}

}  // namespace heed::tasks
