#include "heed/models/files/table_transformer_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "heed/models/files/fields_json.h"
#include "heed/models/files/label_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/number_lists.h"
#include "heed/models/files/weight_check.h"

namespace heed::models {
namespace {

constexpr const char* kTableTransformerType = "heed_table_transformer";
// The words of transformers.
constexpr const char* kClasses = "single_label_classification";
constexpr const char* kNumber = "regression";
constexpr double kLargest = 1e300;
constexpr NumberRange kNumbers = {.least = -kLargest, .most = kLargest};
constexpr double kSmallest = 1e-300;

OrderedJson features_json(const std::vector<TableFeature>& columns) {
  OrderedJson all = OrderedJson::array();
  for (const TableFeature& each : columns) {
    OrderedJson json = {{"name", each.name}};
    if (each.is_category) {
      json["categories"] = each.categories;
    } else {
      json["middle"] = each.middle;
      json["mean"] = each.mean;
      json["deviation"] = each.deviation;
      json["values"] = each.values;
      json["scores"] = each.scores;
      json["bins"] = each.bins;
    }
    all.push_back(std::move(json));
  }
  return all;
}

std::vector<double> rising_from(const JsonValue& json) {
  std::vector<double> numbers = numbers_from(json, kNumbers);
  if (std::adjacent_find(numbers.begin(), numbers.end(), std::greater_equal<>()) != numbers.end()) {
    json.fail("numbers that rise");
  }
  return numbers;
}

TableFeature column_from(const JsonValue& json, int64_t num_bins) {
  TableFeature column{.name = json.at("name").string()};
  column.is_category = json.has("categories");
  if (column.is_category) {
    column.categories = json.at("categories").strings();
    return column;
  }
  const auto number = [&](const char* name, double least) {
    return json.at(name).number({.least = least, .most = kLargest});
  };
  column.middle = number("middle", -kLargest);
  column.mean = number("mean", -kLargest);
  column.deviation = number("deviation", kSmallest);
  column.values = rising_from(json.at("values"));
  column.scores = numbers_from(json.at("scores"), kNumbers);
  if (column.scores.size() != column.values.size()) {
    json.at("scores").fail(text_of(column.values.size(), " numbers, as values has"));
  }
  column.bins = rising_from(json.at("bins"));
  if (std::ssize(column.bins) > num_bins + 1) {
    json.at("bins").fail(text_of("at most ", num_bins + 1, " numbers, as num_bins says"));
  }
  return column;
}

// The columns are as many as the options say.
void check_columns(const JsonValue& config, const std::vector<TableFeature>& columns,
                   const TableTransformerOptions& o) {
  int64_t numbers = 0;
  int64_t categories = 0;
  int64_t vectors = 0;
  for (const TableFeature& each : columns) {
    if (!each.is_category && categories > 0) {
      config.at("columns").fail("columns of numbers before those of categories");
    }
    ++(each.is_category ? categories : numbers);
    vectors += each.is_category ? each.vectors() : 0;
  }
  const auto expect = [&](const char* field, int64_t given, int64_t found) {
    if (given != found) config.at(field).fail(text_of(found, ", as columns has"));
  };
  expect("num_numbers", o.num_numbers, numbers);
  expect("num_categories", o.num_categories, categories);
  expect("num_category_vectors", o.num_category_vectors, vectors);
}

void check_against_weights(const WeightCheck& check, const TableTransformerOptions& o) {
  const int64_t size = o.transformer.d_model;
  check.shape("reader", {size}, "d_model");
  if (o.num_numbers > 0) {
    check.shape("number_weight", {o.num_numbers, number_size(o), size}, "num_bins");
  }
  if (o.num_categories > 0) {
    check.shape("category", {o.num_category_vectors, size}, "num_category_vectors");
  }
  check.shape("output.weight", {o.num_outputs, size}, "num_outputs");
  check.stack("encoder", o.transformer);
}

}  // namespace

void save(const TrainedTable& trained, const std::filesystem::path& directory) {
  OrderedJson config = {{"architectures", {"TableTransformer"}},
                        {"model_type", kTableTransformerType},
                        {"task", "table"},
                        {"torch_dtype", "float32"},
                        {"problem_type", trained.is_regression() ? kNumber : kClasses},
                        {"target", trained.target}};
  if (trained.is_regression()) {
    config["target_mean"] = trained.target_mean;
    config["target_deviation"] = trained.target_deviation;
  } else {
    config.update(labels_json(trained.labels));
  }
  config["missing_values"] = trained.missing_values;
  config["columns"] = features_json(trained.columns);
  save_model({.config = with_fields(std::move(config), trained.model->options()),
              .module = trained.model.get(),
              .tokenizers = {}},
             directory);
}

TrainedTable load_table_transformer(const std::filesystem::path& directory) {
  const ModelDirectory files(directory, kTableTransformerType);
  const JsonValue& config = files.config();
  const auto options = fields_from<TableTransformerOptions>(config);
  TrainedTable trained;
  trained.target = config.at("target").string();
  if (config.at("problem_type").one_of<bool>({{kNumber, true}, {kClasses, false}})) {
    trained.target_mean = config.at("target_mean").number({.least = -kLargest, .most = kLargest});
    trained.target_deviation =
        config.at("target_deviation").number({.least = kSmallest, .most = kLargest});
  } else {
    trained.labels = labels_from(config);
  }
  const int64_t outputs = std::max<int64_t>(1, std::ssize(trained.labels));
  if (options.num_outputs != outputs) config.at("num_outputs").fail(std::to_string(outputs));
  trained.missing_values = config.at("missing_values").strings();
  const JsonValue columns = config.at("columns");
  for (size_t i = 0; i < columns.array_size(); ++i) {
    trained.columns.push_back(column_from(columns.at(i), options.num_bins));
  }
  check_columns(config, trained.columns, options);
  trained.model = files.model<TableTransformer>(options, check_against_weights);
  return trained;
}

}  // namespace heed::models
