#include "heed/models/files/graph_classifier_files.h"

#include <nlohmann/json.hpp>

#include "heed/models/files/fields_json.h"
#include "heed/models/files/label_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/weight_check.h"

namespace heed::models {
namespace {

constexpr const char* kClassifier = "heed_graph_classifier";
constexpr const char* kLinkPredictor = "heed_link_predictor";
constexpr double kLargestFeature = 1e30;

OrderedJson features_json(const std::vector<GraphFeature>& features) {
  OrderedJson all = OrderedJson::array();
  for (const GraphFeature& each : features) {
    OrderedJson json = {{"name", each.name}};
    if (each.words.empty()) {
      json["mean"] = each.mean;
      json["deviation"] = each.deviation;
    } else {
      json["words"] = each.words;
    }
    all.push_back(std::move(json));
  }
  return all;
}

std::vector<GraphFeature> features_from(const JsonValue& json) {
  std::vector<GraphFeature> all;
  for (size_t i = 0; i < json.array_size(); ++i) {
    const JsonValue from = json.at(i);
    GraphFeature feature{.name = from.at("name").string()};
    if (from.has("words")) {
      feature.words = from.at("words").strings();
    } else {
      feature.mean = from.at("mean").number({.least = -kLargestFeature, .most = kLargestFeature});
      feature.deviation = from.at("deviation").number({.least = 1e-30, .most = kLargestFeature});
    }
    all.push_back(std::move(feature));
  }
  return all;
}

// The largest tensor; the others follow from what it was made for.
void check_against_weights(const WeightCheck& check, const GraphClassifierOptions& o) {
  const bool last = o.num_layers == 1;
  const int64_t parts = o.score == "gat" ? 1 : o.score == "gatv2" ? 2 : 3;
  check.shape("input.weight",
              {o.num_features, parts * (last ? o.num_output_heads * o.num_classes : o.d_model)},
              "num_features");
  check.shape(text_of("bias", o.num_layers - 1), {o.num_classes}, "num_classes");
  if (!last) check.present(text_of("projection", o.num_layers - 1, ".weight"));
}

// All but the labels.
TrainedGraphClassifier loaded(const ModelDirectory& files) {
  const JsonValue& config = files.config();
  const auto options = fields_from<GraphClassifierOptions>(config);
  TrainedGraphClassifier trained;
  trained.features = features_from(config.at("features"));
  trained.columns = columns_from(config);
  if (count_of(trained.features) != options.num_features) {
    config.at("num_features").fail(text_of(count_of(trained.features), ", as features has"));
  }
  trained.model = files.model<GraphClassifier>(options, check_against_weights);
  return trained;
}

}  // namespace

int64_t count_of(const std::vector<GraphFeature>& features) {
  int64_t count = 0;
  for (const GraphFeature& each : features) count += each.count();
  return count;
}

void save(const TrainedGraphClassifier& trained, const std::filesystem::path& directory) {
  const bool links = trained.labels.empty();
  OrderedJson config = {{"architectures", {"GraphClassifier"}},
                        {"model_type", links ? kLinkPredictor : kClassifier},
                        {"task", links ? "links" : "graph"},
                        {"torch_dtype", "float32"}};
  if (!links) config.update(labels_json(trained.labels));
  config["features"] = features_json(trained.features);
  config.update(columns_json(trained.columns));
  save_model({.config = with_fields(std::move(config), trained.model->options()),
              .module = trained.model.get(),
              .tokenizers = {}},
             directory);
}

TrainedGraphClassifier load_graph_classifier(const std::filesystem::path& directory) {
  const ModelDirectory files(directory, kClassifier);
  TrainedGraphClassifier trained = loaded(files);
  trained.labels = labels_from(files.config());
  if (std::ssize(trained.labels) != trained.model->options().num_classes) {
    files.config().at("num_classes").fail(text_of(trained.labels.size(), ", as id2label has"));
  }
  return trained;
}

TrainedGraphClassifier load_link_predictor(const std::filesystem::path& directory) {
  return loaded(ModelDirectory(directory, kLinkPredictor));
}

}  // namespace heed::models
