#include "heed/tasks/table/table_learning.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/models/files/label_json.h"
#include "heed/ops/cross_entropy.h"
#include "heed/tasks/common/batches.h"
#include "heed/tasks/common/sources.h"

namespace heed::tasks {
namespace {

constexpr int64_t kEvaluationRows = 512;

void standardise_target(models::TrainedTable& trained, const data::TableColumn& target) {
  double mean = 0;
  const auto count = static_cast<double>(target.numbers.size());
  for (const double each : target.numbers) mean += each / count;
  double square = 0;
  for (const double each : target.numbers) square += (each - mean) * (each - mean) / count;
  trained.target_mean = mean;
  trained.target_deviation = square > 0 ? std::sqrt(square) : 1;
}

at::Tensor targets_of(const models::TrainedTable& trained, const data::TableColumn& target) {
  if (!trained.is_regression()) return at::tensor(target.categories).to(at::kLong);
  return ((at::tensor(target.numbers) - trained.target_mean) / trained.target_deviation)
      .to(at::kFloat);
}

at::Tensor weights_of_classes(const std::string& name, const data::TableColumn& target) {
  std::vector<int64_t> counts(target.names.size());
  for (const int32_t label : target.categories) ++counts[static_cast<size_t>(label)];
  return class_weights(name, counts);
}

Metrics number_metrics(const models::TrainedTable& trained, const at::Tensor& outputs,
                       const at::Tensor& actual) {
  const at::Tensor error = outputs.flatten().to(at::kDouble) - actual;
  const double squared = error.square().mean().item<double>();
  const double spread = (actual - actual.mean()).square().mean().item<double>();
  return {{"loss", squared / (trained.target_deviation * trained.target_deviation)},
          {"rmse", std::sqrt(squared)},
          {"mae", error.abs().mean().item<double>()},
          {"r2", spread > 0 ? 1 - squared / spread : 0},
          {"examples", static_cast<double>(actual.size(0))}};
}

}  // namespace

std::vector<std::string> problem_types() { return {"auto", "classification", "regression"}; }

data::TargetKind target_kind_of(const std::string& problem_type) {
  if (problem_type == "classification") return data::TargetKind::kClasses;
  if (problem_type == "regression") return data::TargetKind::kNumber;
  return data::TargetKind::kAuto;
}

TableLearning::TableLearning(const data::TableData& train, const data::TableData& valid,
                             const TableLearningOptions& options,
                             std::vector<std::string> missing_values)
    : options_(options) {
  visit_fields(options, nn::FieldCheck());
  check_usage(train.target.has_value() && valid.target.has_value(),
              "training: expected tables with a target");
  check_usage(train.rows() > 0 && valid.rows() > 0, "training: expected rows to train and to ",
              "validate on, got ", train.rows(), " and ", valid.rows());
  const data::TableColumn& target = *train.target;
  check_usage(options.problem_type != (target.is_category ? "regression" : "classification"),
              "problem_type: expected a target for ", options.problem_type, ", got ",
              target.is_category ? "classes" : "a number");
  models::TableTransformerOptions model = options.model;
  trained_.columns = features_of(train, {.scaling = options.scaling,
                                         .num_bins = model.num_bins,
                                         .min_frequency = options.min_frequency});
  trained_.target = target.name;
  trained_.labels = target.names;
  trained_.missing_values = std::move(missing_values);
  models::check_labels_fit(trained_.labels);
  const std::vector<bool> shared = shared_vectors(trained_.columns);
  train_ = encode(trained_.columns, train);
  valid_ = encode(trained_.columns, valid);
  valid_target_ = *valid.target;
  model.num_numbers = std::ssize(train_.numbers);
  model.num_categories = std::ssize(train_.categories);
  model.num_category_vectors = std::ssize(shared);
  model.num_outputs = std::max<int64_t>(1, std::ssize(trained_.labels));
  check_classes_fit(text_of(model.num_outputs, " classes"),
                    model.num_outputs * model.transformer.d_model);
  check_logits_fit(valid.rows(), model.num_outputs);
  trained_.model = std::make_shared<models::TableTransformer>(model);
  if (!shared.empty()) {
    const std::vector<int64_t> zero(shared.begin(), shared.end());
    trained_.model->start_at_zero(at::tensor(zero).to(at::kBool));
  }
  if (trained_.is_regression()) {
    standardise_target(trained_, target);
  } else {
    class_weights_ = weights_of_classes(options.class_weight, target);
  }
  targets_ = targets_of(trained_, target);
  lengths_.assign(static_cast<size_t>(train.rows()), 1 + std::ssize(trained_.columns));
}

std::vector<Source> TableLearning::sources() const {
  const auto add = [](Checksum& sum, const EncodedTable& table) {
    sum.add(table.numbers);
    sum.add(table.categories);
  };
  return {source_of("training data",
                    [&](Checksum& sum) {
                      add(sum, train_);
                      sum.add(targets_.const_data_ptr(), targets_.nbytes());
                    }),
          source_of("validation data",
                    [&](Checksum& sum) {
                      add(sum, valid_);
                      sum.add(valid_target_.numbers);
                      sum.add(valid_target_.categories);
                    }),
          source_of("labels", [&](Checksum& sum) { sum.add(trained_.labels); })};
}

std::unique_ptr<RowBatch> TableLearning::batch_of(std::vector<int64_t> examples) const {
  auto batch = std::make_unique<RowBatch>(std::move(examples));
  batch->rows =
      table_batch(trained_.columns, trained_.model->options().num_bins, train_, batch->examples);
  batch->targets = targets_.index_select(0, at::tensor(batch->examples));
  return batch;
}

Loss TableLearning::loss_of(const RowBatch& rows) {
  const at::Device device = device_of(*trained_.model);
  const at::Tensor found = trained_.model->forward(rows.rows.to(device));
  const at::Tensor targets = rows.targets.to(device);
  const int64_t tokens = std::ssize(rows.examples) * lengths_[0];
  if (trained_.is_regression()) {
    return {.value = (found.squeeze(1) - targets).square().mean(),
            .tokens = tokens,
            .weight = static_cast<double>(rows.examples.size())};
  }
  return class_loss(found, targets, class_weights_, options_.label_smoothing, tokens);
}

Metrics TableLearning::validate(const Progress& progress) {
  return scores_of(trained_, outputs(trained_, valid_, progress), valid_target_).metrics();
}

Watched TableLearning::watched(const std::string& name) const {
  return watched_among(watchable(), name, trained_.is_regression() ? "rmse" : "loss");
}

void TableLearning::save(const std::filesystem::path& directory) const {
  models::save(trained_, directory);
}

at::Tensor outputs(const models::TrainedTable& trained, const EncodedTable& table,
                   const Progress& progress) {
  const c10::InferenceMode inference;
  const models::TableTransformer& model = *trained.model;
  const at::Device device = device_of(model);
  at::Tensor all = at::empty({table.rows, model.options().num_outputs});
  const std::vector<int64_t> lengths(static_cast<size_t>(table.rows), 1);
  for_each_batch(lengths, kEvaluationRows, progress, [&](const std::vector<int64_t>& rows) {
    const auto batch = table_batch(trained.columns, model.options().num_bins, table, rows);
    all.index_copy_(0, at::tensor(rows), model.forward(batch.to(device)).cpu());
  });
  if (!trained.is_regression()) return all;
  return all.to(at::kDouble) * trained.target_deviation + trained.target_mean;
}

TableScores scores_of(const models::TrainedTable& trained, const at::Tensor& outputs,
                      const data::TableColumn& target) {
  check_usage(outputs.size(0) > 0, "scores: expected rows, got none");
  if (!trained.is_regression()) return {.classes = scores_of_logits(outputs, target.categories)};
  return {.classes = {}, .number = number_metrics(trained, outputs, at::tensor(target.numbers))};
}

std::vector<data::KnownColumn> known_columns(const models::TrainedTable& trained) {
  std::vector<data::KnownColumn> known;
  for (const models::TableFeature& each : trained.columns) {
    known.push_back({.name = each.name, .is_category = each.is_category});
  }
  return known;
}

}  // namespace heed::tasks
