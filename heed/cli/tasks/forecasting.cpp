// What a forecaster of time series predicts, and how well.
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/cli/options/forecast_sets.h"
#include "heed/cli/options/table_sets.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/writing/forecast_report.h"
#include "heed/models/files/fields_json.h"
#include "heed/tasks/series/forecast_baselines.h"

namespace heed::cli {
namespace {

struct ForecastOptions {
  SeriesReading reading = {};
  ReadingOptions table = {};
  TimedRows rows = {};
  int64_t row = 0;

  void check() const { table.parsed(); }
  data::SeriesData read(const std::string& file) const { return reading.read(file, table, rows); }
};

class ForecasterAdapter final : public TaskAdapter {
 public:
  ForecasterAdapter(models::TrainedForecaster trained, ForecastOptions options)
      : trained_(std::move(trained)), options_(std::move(options)) {}

  OrderedJson description() const override {
    return models::with_fields({{"series", trained_.series},
                                {"covariates", trained_.covariates},
                                {"coverages", trained_.coverages}},
                               trained_.model->options());
  }

  // Rolling: of every window of the file, one step after the other.
  TaskEvaluation evaluate(const std::vector<std::string>& files,
                          const tasks::Progress& progress) const override {
    check_usage(files.size() == 1, "a forecaster: expected one file, got ", files.size());
    const data::SeriesData data = options_.read(files[0]);
    const auto& o = trained_.model->options();
    if (tasks::windows_between(0, data.length(), o.context_length, o.horizon) == 0) {
      throw DataError(data.file,
                      text_of("expected at least ", o.context_length + o.horizon,
                              " rows (context_length + horizon), found ", data.length()));
    }
    const auto evaluation = tasks::evaluate(trained_, tasks::standardized(trained_, data), 0,
                                            data.length(), tasks::usual_season(data), progress);
    return {.metrics = {{"mse", evaluation.model.mse()}, {"mae", evaluation.model.mae()}},
            .details = forecast_details(evaluation, trained_),
            .report = forecast_report(evaluation)};
  }

  // Every window is as long as every other.
  DoctorExamples doctor_examples(const std::vector<std::string>& files) const override {
    return {.inputs = files,
            .not_checked = {{"padding", "the windows of a series are all of one length"}}};
  }

  void predict(const std::string& file, AnswerWriter& answers) const override {
    const data::SeriesData data =
        options_.reading.read_good_rows(file, options_.table, options_.rows, answers.report());
    if (data.length() == 0) return;
    for (const OrderedJson& row : rows_of(data)) {
      std::string line = row.at("time").get<std::string>();
      for (const std::string& name : trained_.series) {
        line += text_of('\t', name, '\t', row.at(name).get<double>());
      }
      answers.add(data.file, {}, {.line = std::move(line), .json = row});
    }
  }

  // Of one window of a file, among its patches: the mean over the series.
  AttentionView attend(const std::string& argument,
                       const AttentionRequest& request) const override {
    const c10::InferenceMode inference(!request.gradients);
    const data::SeriesData data = options_.read(argument);
    const auto& o = trained_.model->options();
    const tasks::StandardizedSeries series = tasks::standardized(trained_, data);
    const int64_t first = first_forecast(data);
    const auto windows =
        tasks::windows_at(series, at::tensor({first}), o.context_length, o.horizon);
    const at::Tensor next = tasks::forecast(
        trained_, {.values = series.values.narrow(0, 0, first), .covariates = series.covariates});
    nn::AttentionRecorder recorder;
    const at::Tensor answer = trained_.model->forward(windows.past, windows.covariates);
    AttentionView view{.title = data.time_of(first) + ": " + steps_text(trained_.series, next)};
    if (request.gradients) view.score = answer.sum();  // what raises the forecast
    const WholeWeights whole = whole_weights(recorder.self, view.score);
    view.weights = whole.weights;
    view.effects = whole.effects;
    for (int64_t p = 0; p < models::num_patches(o); ++p) {
      view.keys.push_back(data.time_of(first - o.context_length + p * o.patch_stride));
    }
    view.queries = view.keys;
    return view;
  }

 private:
  // The row that is shown, or that of the last window.
  int64_t first_forecast(const data::SeriesData& data) const {
    const auto& o = trained_.model->options();
    const int64_t last = data.length() - o.horizon;
    check_usage(last >= o.context_length, data.file, ": expected at least ",
                o.context_length + o.horizon, " rows (context_length + horizon), found ",
                data.length());
    if (options_.row == 0) return last;
    check_usage(options_.row > o.context_length && options_.row <= last + 1,
                "--row: expected a number from ", o.context_length + 1, " to ", last + 1,
                ", with as many rows before and behind it as the model reads and writes, got ",
                options_.row);
    return options_.row - 1;
  }

  std::vector<OrderedJson> rows_of(const data::SeriesData& data) const {
    try {
      return forecast_rows(trained_, data, continued(trained_, data));
    } catch (const UsageError& error) {  // what the file lacks
      throw DataError(data.file, error.what());
    }
  }

  models::TrainedForecaster trained_;
  ForecastOptions options_;
};

TaskLoader define_forecasting(TaskOptions& options, Use use) {
  if (use == Use::kInspect || use == Use::kDoctor) {
    return loader_of<ForecasterAdapter>([] { return ForecastOptions(); }, models::load_forecaster);
  }
  const auto& reading = options.use<SeriesReading>();
  const auto& table = options.use<ReadingOptions>({"delimiter", "encoding", "max-bytes"});
  const auto& rows = options.use<TimedRows>();
  const RowOption* row = use == Use::kAttend ? &options.use<RowOption>() : nullptr;
  return loader_of<ForecasterAdapter>(
      [&reading, &table, &rows, row] {
        return ForecastOptions{
            .reading = reading, .table = table, .rows = rows, .row = row == nullptr ? 0 : row->row};
      },
      models::load_forecaster);
}

}  // namespace

TaskKind forecasting() {
  return {.model_type = "heed_forecaster", .name = "forecast", .define = define_forecasting};
}

}  // namespace heed::cli
