#include "heed/models/files/forecaster_files.h"

#include <nlohmann/json.hpp>

#include "heed/io/json.h"
#include "heed/models/files/fields_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/number_lists.h"
#include "heed/models/files/weight_check.h"

namespace heed::models {
namespace {

constexpr const char* kForecasterType = "heed_forecaster";
constexpr double kLargestValue = 1e30;

std::vector<std::string> names_from(const JsonValue& value) {
  std::vector<std::string> names;
  for (size_t i = 0; i < value.array_size(); ++i) names.push_back(value.at(i).string());
  return names;
}

std::vector<double> counted_numbers(const JsonValue& value, size_t count, double least,
                                    double most) {
  if (value.array_size() != count) value.fail(text_of(count, " numbers"));
  return numbers_from(value, {.least = least, .most = most});
}

void check_against_weights(const WeightCheck& check, const ForecasterOptions& o) {
  const int64_t channels = o.channel_independent ? 1 : o.num_series;
  check.shape("embedding.weight",
              {o.transformer.d_model, o.patch_length * (channels + o.num_covariates)}, "d_model");
  check.shape("head.weight", {o.horizon * channels, num_patches(o) * o.transformer.d_model},
              "horizon");
  if (o.linear_shortcut) {
    check.shape("shortcut.weight", {o.horizon, o.context_length}, "context_length");
  }
  check.stack("encoder", o.transformer);
}

}  // namespace

void save(const TrainedForecaster& trained, const std::filesystem::path& directory) {
  OrderedJson config = {
      {"architectures", {"Forecaster"}},
      {"model_type", kForecasterType},
      {"task", "forecast"},
      {"torch_dtype", "float32"},
      {"series", trained.series},
      {"covariates", trained.covariates},
      {"time_column", trained.time_column},
      {"means", trained.means},
      {"deviations", trained.deviations},
      {"coverages", trained.coverages},
      {"half_widths", trained.half_widths},
  };
  save_model({.config = with_fields(std::move(config), trained.model->options()),
              .module = trained.model.get(),
              .tokenizers = {}},
             directory);
}

TrainedForecaster load_forecaster(const std::filesystem::path& directory) {
  const ModelDirectory files(directory, kForecasterType);
  const JsonValue& config = files.config();
  TrainedForecaster trained;
  const auto options = fields_from<ForecasterOptions>(config);
  trained.series = names_from(config.at("series"));
  trained.covariates = names_from(config.at("covariates"));
  if (std::ssize(trained.series) != options.num_series) {
    config.at("series").fail(text_of(options.num_series, " names, as num_series says"));
  }
  if (std::ssize(trained.covariates) != options.num_covariates) {
    config.at("covariates").fail(text_of(options.num_covariates, " names, as num_covariates says"));
  }
  trained.time_column = config.at("time_column").string();
  const size_t columns = trained.series.size() + trained.covariates.size();
  trained.means = counted_numbers(config.at("means"), columns, -kLargestValue, kLargestValue);
  trained.deviations = counted_numbers(config.at("deviations"), columns, 1e-30, kLargestValue);
  trained.coverages =
      counted_numbers(config.at("coverages"), config.at("coverages").array_size(), 0, 1);
  trained.half_widths = counted_numbers(
      config.at("half_widths"),
      trained.coverages.size() * static_cast<size_t>(options.horizon) * trained.series.size(), 0,
      kLargestValue);
  trained.model = files.model<Forecaster>(options, check_against_weights);
  return trained;
}

}  // namespace heed::models
