#include "heed/tasks/table/table_importance.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "heed/data/shuffle.h"
#include "heed/tasks/common/batches.h"

namespace heed::tasks {
namespace {

constexpr int64_t kMostWeights = 1 << 22;  // of one layer, at once

// (columns): what the reading token gives each, a sum of 1.
at::Tensor attention_of(const models::TrainedTable& trained, const EncodedTable& table) {
  const c10::InferenceMode inference;
  const auto& o = trained.model->options();
  const auto tokens = std::ssize(trained.columns) + 1;
  const int64_t batch =
      std::clamp<int64_t>(kMostWeights / (tokens * tokens * o.transformer.num_heads), 1, 512);
  const std::vector<int64_t> lengths(static_cast<size_t>(table.rows), 1);
  at::Tensor sum = at::zeros({tokens}, at::kDouble);
  for_each_batch(lengths, batch, {}, [&](const std::vector<int64_t>& rows) {
    nn::AttentionTrace trace;
    trained.model->forward(table_batch(trained.columns, o.num_bins, table, rows), &trace);
    for (const at::Tensor& weights : trace.weights) {
      sum += weights.select(2, 0).to(at::kDouble).mean(1).sum(0);
    }
  });
  const at::Tensor columns = sum.narrow(0, 1, tokens - 1);
  return columns / columns.sum();
}

double score_of(const models::TrainedTable& trained, const EncodedTable& table,
                const data::TableColumn& target) {
  const TableScores scores = scores_of(trained, outputs(trained, table), target);
  return metric(scores.metrics(), trained.is_regression() ? "r2" : "accuracy");
}

}  // namespace

std::vector<ColumnImportance> column_importance(const models::TrainedTable& trained,
                                                const EncodedTable& table,
                                                const data::TableColumn& target,
                                                const ImportanceOptions& options,
                                                const Progress& progress) {
  const at::Tensor attention = attention_of(trained, table);
  const double whole = options.shuffles > 0 ? score_of(trained, table, target) : 0;
  std::mt19937_64 random(options.seed);
  EncodedTable changed = table;
  std::vector<ColumnImportance> all;
  for (size_t i = 0; i < trained.columns.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    ColumnImportance each{.name = trained.columns[i].name,
                          .attention = attention[at].item<double>()};
    double square = 0;
    const auto count = static_cast<double>(options.shuffles);
    for (int64_t time = 0; time < options.shuffles; ++time) {
      if (i < table.numbers.size()) {
        data::shuffle(changed.numbers[i], random);
      } else {
        data::shuffle(changed.categories[i - table.numbers.size()], random);
      }
      const double lost = whole - score_of(trained, changed, target);
      each.permutation += lost / count;
      square += lost * lost / count;
      if (progress) {
        progress(at * options.shuffles + time + 1, options.shuffles * std::ssize(trained.columns));
      }
    }
    each.deviation = std::sqrt(std::max(0.0, square - each.permutation * each.permutation));
    if (i < table.numbers.size()) {
      changed.numbers[i] = table.numbers[i];
    } else {
      changed.categories[i - table.numbers.size()] = table.categories[i - table.numbers.size()];
    }
    all.push_back(each);
  }
  return all;
}

}  // namespace heed::tasks
