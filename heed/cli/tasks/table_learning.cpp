// What a transformer over tables says of their rows, and how well.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/cli/options/table_sets.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/writing/classification_report.h"
#include "heed/cli/writing/table_report.h"
#include "heed/io/printable.h"
#include "heed/models/files/fields_json.h"
#include "heed/tasks/table/table_importance.h"

namespace heed::cli {
namespace {

// --importance of `heed eval`.
struct ImportanceOption {
  bool wanted = false;

  void add_to(Options& options) {
    options.flag("--importance", wanted,
                 "Of a table: also which columns the model leans on, by attention and by what is "
                 "lost when a column is shuffled");
  }
};

struct TableOptions {
  TimedRows rows = {};
  ReadingOptions table = {};
  bool importance = false;
  int64_t row = 1;
  bool errors = false;
  bool judgements = false;  // of each row, which evaluation gives then

  void check() const { table.parsed(); }
};

class TableAdapter final : public TaskAdapter {
 public:
  TableAdapter(models::TrainedTable trained, TableOptions options)
      : trained_(std::move(trained)), options_(std::move(options)) {}

  OrderedJson description() const override {
    OrderedJson numbers = OrderedJson::array();
    OrderedJson categories = OrderedJson::array();
    for (const auto& each : trained_.columns) {
      (each.is_category ? categories : numbers).push_back(each.name);
    }
    OrderedJson all = {{"target", trained_.target}};
    if (!trained_.is_regression()) all["labels"] = trained_.labels;
    all["numbers"] = numbers;
    all["categories"] = categories;
    all["missing_values"] = trained_.missing_values;
    return models::with_fields(std::move(all), trained_.model->options());
  }

  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& progress) const override {
    check_usage(!options_.errors || !trained_.is_regression(),
                "--errors: has no meaning for a model that tells a number");
    const data::TableData data = read(files, Target::kRead);
    const tasks::EncodedTable table = tasks::encode(trained_.columns, data);
    const at::Tensor found = tasks::outputs(trained_, table, progress);
    const tasks::TableScores scores = tasks::scores_of(trained_, found, *data.target);
    TaskEvaluation result = scores.classes ? evaluation_of(*scores.classes, trained_.labels)
                                           : TaskEvaluation{.metrics = scores.number};
    if (options_.importance) {
      const auto columns = tasks::column_importance(trained_, table, *data.target, {}, progress);
      if (!result.report.empty()) result.report += '\n';
      result.report += importance_report(columns, trained_.is_regression() ? "r2" : "accuracy");
      result.details["importance"] = importance_json(columns);
    }
    if (options_.errors) {
      std::vector<std::string> where;
      for (int64_t row = 0; row < data.rows(); ++row) where.push_back(data.where(row));
      result.wrong = wrong_classes(at::softmax(found.to(at::kDouble), 1), data.target->categories,
                                   where, trained_.labels);
    }
    if (options_.judgements && scores.classes) {
      const at::Tensor all = at::softmax(found.to(at::kDouble), 1).contiguous();
      const auto* row = all.const_data_ptr<double>();
      for (const int32_t label : data.target->categories) {
        result.judgements.push_back({.tokens = std::ssize(trained_.columns) + 1,
                                     .expected = label,
                                     .probabilities = {row, row + trained_.labels.size()}});
        row += trained_.labels.size();
      }
      result.labels = trained_.labels;
    }
    result.warnings = warnings_of(table, data);
    return result;
  }

  void predict(const std::string& file, AnswerWriter& answers) const override {
    const data::TableData data = read_good_rows({file}, reading_of(Target::kNone), options_.table,
                                                options_.rows, answers.report());
    if (data.rows() == 0) return;
    const tasks::EncodedTable table = tasks::encode(trained_.columns, data);
    warn(warnings_of(table, data));
    const at::Tensor found = tasks::outputs(trained_, table);
    for (int64_t row = 0; row < data.rows(); ++row) {
      const OrderedJson place = {{"row", row + 1}};
      OrderedJson json = place;
      std::string line;
      if (trained_.is_regression()) {
        const auto number = found[row].item<double>();
        json["prediction"] = number;
        line = formatted("%.7g", number);
      } else {
        line = add_classes(at::softmax(found[row].to(at::kDouble), 0), json);
      }
      answers.add(data.where(row), place, {.line = std::move(line), .json = std::move(json)});
    }
  }

  // Of one row of a file, among its cells and the token that reads them.
  AttentionView attend(const std::string& argument,
                       const AttentionRequest& request) const override {
    const c10::InferenceMode inference(!request.gradients);
    const data::TableData data = read({argument}, Target::kNone);
    check_usage(options_.row <= data.rows(), "--row: expected a number from 1 to ", data.rows(),
                ", got ", options_.row);
    const tasks::EncodedTable table = tasks::encode(trained_.columns, data);
    nn::AttentionRecorder recorder;
    const at::Tensor found = trained_.model->forward(tasks::table_batch(
        trained_.columns, trained_.model->options().num_bins, table, {options_.row - 1}))[0];
    AttentionView view{.title = text_of("row ", options_.row, ": ", trained_.target, " = ")};
    if (trained_.is_regression()) {
      const double number = found.item<double>() * trained_.target_deviation + trained_.target_mean;
      view.title += formatted("%.7g", number);
      view.details = {{"prediction", number}};
      if (request.gradients) view.score = found[0];
    } else {
      const at::Tensor probabilities = at::softmax(found.detach(), 0);
      const auto best = probabilities.argmax().item<int64_t>();
      const auto probability = probabilities[best].item<double>();
      const std::string& label = trained_.labels[static_cast<size_t>(best)];
      view.title += answer_title(label, probability);
      view.details = {{"label", label}, {"probability", probability}};
      if (request.gradients) view.score = found[best];
    }
    view.queries = view.keys = tokens_of(data, options_.row - 1);
    view.calls = std::move(recorder.self);
    return view;
  }

 private:
  enum class Target : uint8_t { kRead, kNone };

  data::TableReadOptions reading_of(Target target) const {
    const auto kind =
        trained_.is_regression() ? data::TargetKind::kNumber : data::TargetKind::kClasses;
    return {.target = target == Target::kRead ? trained_.target : "",
            .target_kind = target == Target::kRead ? kind : data::TargetKind::kNone,
            .label_names = trained_.labels,
            .missing = trained_.missing_values,
            .columns = tasks::known_columns(trained_)};
  }

  data::TableData read(const std::vector<std::string>& files, Target target) const {
    return read_tables(files, reading_of(target), options_.table, options_.rows);
  }

  static std::vector<std::string> warnings_of(const tasks::EncodedTable& table,
                                              const data::TableData& data) {
    if (table.unseen == 0) return {};
    return {text_of(data.files[0], ": ", table.unseen, " cells hold categories that were not, or ",
                    "hardly, seen in training; they count as one")};
  }

  // "label\t0.9876", and the members of the JSON.
  std::string add_classes(const at::Tensor& probabilities, OrderedJson& json) const {
    const auto best = probabilities.argmax().item<int64_t>();
    const auto* values = probabilities.const_data_ptr<double>();
    const std::string& label = trained_.labels[static_cast<size_t>(best)];
    json["label"] = label;
    json["probability"] = values[best];
    json["probabilities"] = probabilities_json(trained_.labels, {values, trained_.labels.size()});
    return answer_line(label, values[best]);
  }

  // "age = 39", in the order of the model's tokens.
  std::vector<std::string> tokens_of(const data::TableData& data, int64_t row) const {
    std::vector<std::string> tokens = {"[CLS]"};
    const auto at = static_cast<size_t>(row);
    for (const auto& feature : trained_.columns) {
      const auto column = std::find_if(data.columns.begin(), data.columns.end(),
                                       [&](const auto& each) { return each.name == feature.name; });
      std::string cell = "?";
      if (column->is_category) {
        const int32_t category = column->categories[at];
        if (category >= 0) cell = column->names[static_cast<size_t>(category)];
      } else if (column->numbers[at] == column->numbers[at]) {
        cell = formatted("%.6g", column->numbers[at]);
      }
      tokens.push_back(feature.name + " = " + cell);
    }
    return tokens;
  }

  models::TrainedTable trained_;
  TableOptions options_;
};

TaskLoader define_table_learning(TaskOptions& options, Use use) {
  if (use == Use::kInspect || use == Use::kDoctor) {
    return loader_of<TableAdapter>(
        [use] { return TableOptions{.judgements = use == Use::kDoctor}; },
        models::load_table_transformer);
  }
  const auto& rows = options.use<TimedRows>({"skip-bad"});
  const auto& table = options.use<ReadingOptions>({"delimiter", "encoding", "max-bytes"});
  const auto* importance = use == Use::kEval ? &options.use<ImportanceOption>() : nullptr;
  const auto* errors = use == Use::kEval ? &options.use<ErrorsOption>() : nullptr;
  const auto* row = use == Use::kAttend ? &options.use<RowOption>() : nullptr;
  return loader_of<TableAdapter>(
      [&rows, &table, importance, errors, row] {
        TableOptions given{.rows = rows, .table = table};
        if (importance != nullptr) given.importance = importance->wanted;
        if (errors != nullptr) given.errors = errors->wanted();
        if (row != nullptr) given.row = std::max<int64_t>(row->row, 1);
        return given;
      },
      models::load_table_transformer);
}

}  // namespace

TaskKind table_learning() {
  return {.model_type = "heed_table_transformer", .name = "table", .define = define_table_learning};
}

}  // namespace heed::cli
