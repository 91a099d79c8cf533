// Learning to tell one column of a table from the others: classes or a number.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "heed/data/tables/table_data.h"
#include "heed/models/files/table_transformer_files.h"
#include "heed/nn/fields.h"
#include "heed/tasks/common/class_weights.h"
#include "heed/tasks/common/logit_scores.h"
#include "heed/tasks/common/task.h"
#include "heed/tasks/table/table_tensors.h"

namespace heed::tasks {

struct TableLearningOptions {
  models::TableTransformerOptions model;  // columns and outputs are read from the data
  // What the target is to be: "classification", "regression", or "auto", what the data have.
  std::string problem_type = "auto";
  std::string scaling = "quantile";  // see NumberOptions
  int64_t min_frequency = 2;
  double label_smoothing = 0;         // of classes
  std::string class_weight = "none";  // see class_weights()
};

std::vector<std::string> problem_types();

// What a table is to be read with for this type of problem.
data::TargetKind target_kind_of(const std::string& problem_type);

// All but those of the model, which have a list of their own.
template <nn::OptionsOf<TableLearningOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  using nn::Field;
  visit(Field{.name = "problem_type",
              .help = "What the target is; auto: classes where a cell is no number, or all are "
                      "whole ones of at most 20 values, each five times on average",
              .choices = problem_types,
              .group = "Table"},
        o.problem_type);
  visit(Field{.name = "scaling",
              .help = "How a number becomes a feature: quantile, by its rank among those that "
                      "train; standard, with their mean and deviation",
              .choices = scaling_names},
        o.scaling);
  visit(Field{.name = "min_frequency",
              .help = "A category seen less often in training counts as one that was never seen",
              .least = 1,
              .most = nn::kLargestSize},
        o.min_frequency);
  visit(nn::share_field("label_smoothing", "Of classes: share of the target spread over all"),
        o.label_smoothing);
  visit(class_weight_field("balanced: of classes, a row counts the more, the rarer its class"),
        o.class_weight);
}

// One of the two.
struct TableScores {
  std::optional<ClassificationScores> classes;
  Metrics number = {};  // loss (squared error of the standardised target), rmse, mae, r2, examples
  const Metrics& metrics() const { return classes ? classes->metrics : number; }
};

struct RowBatch final : Batch {
  using Batch::Batch;
  models::TableBatch rows;
  at::Tensor targets;
};

class TableLearning final : public TaskOf<RowBatch> {
 public:
  // A fresh model. Weights come from torch's default generator. `valid` has the columns, the kind
  // of target and the classes of `train`. Throws UsageError for options that cannot be used, and
  // for a target that is not of the type of problem.
  TableLearning(const data::TableData& train, const data::TableData& valid,
                const TableLearningOptions& options, std::vector<std::string> missing_values);

  std::string name() const override { return "table"; }
  torch::nn::Module& module() override { return *trained_.model; }
  const std::vector<int64_t>& train_lengths() const override { return lengths_; }
  std::vector<Source> sources() const override;
  std::unique_ptr<RowBatch> batch_of(std::vector<int64_t> examples) const override;
  Loss loss_of(const RowBatch& batch) override;
  Metrics validate(const Progress& progress) override;
  Watched watched(const std::string& name) const override;
  static std::vector<Watched> watchable() {
    return {lowest("loss"), highest("accuracy"), highest("macro_f1"),
            lowest("rmse"), lowest("mae"),       highest("r2")};
  }
  void save(const std::filesystem::path& directory) const override;

  const models::TrainedTable& trained() const { return trained_; }

 private:
  TableLearningOptions options_;
  models::TrainedTable trained_;
  EncodedTable train_;
  at::Tensor targets_;  // (N) int64 classes, or float32 standardised numbers
  EncodedTable valid_;
  data::TableColumn valid_target_;
  std::vector<int64_t> lengths_;
  at::Tensor class_weights_;  // (classes); undefined: all are one
};

// What the model says of each row: (N, classes) logits or (N, 1) numbers in the units of the data.
at::Tensor outputs(const models::TrainedTable& trained, const EncodedTable& table,
                   const Progress& progress = {});

// Throws UsageError where there is no row.
TableScores scores_of(const models::TrainedTable& trained, const at::Tensor& outputs,
                      const data::TableColumn& target);

// As data::TableReadOptions has them, to read a table for this model.
std::vector<data::KnownColumn> known_columns(const models::TrainedTable& trained);

}  // namespace heed::tasks
