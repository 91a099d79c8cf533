#include "heed/models/files/text_classifier_files.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "heed/io/json.h"
#include "heed/models/files/fields_json.h"
#include "heed/models/files/label_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/published_files.h"
#include "heed/models/files/weight_check.h"
#include "heed/models/published/task_networks.h"

namespace heed::models {
namespace {

constexpr const char* kTextClassifierType = "heed_text_classifier";
// The words of transformers.
constexpr const char* kOneLabel = "single_label_classification";
constexpr const char* kSeveralLabels = "multi_label_classification";
constexpr const char* kSeparator = ";";  // of published models, as their threshold
constexpr double kThreshold = 0.5;

OrderedJson config_json(const TrainedTextClassifier& trained) {
  OrderedJson config = {
      {"architectures", {"TextClassifier"}},
      {"model_type", kTextClassifierType},
      {"task", "classify"},
      {"torch_dtype", "float32"},
  };
  config.update(labels_json(trained.labels));
  config["problem_type"] = has_several_labels(trained) ? kSeveralLabels : kOneLabel;
  if (has_several_labels(trained)) {
    config["label_separator"] = trained.label_separator;
    config["label_thresholds"] = trained.thresholds;
  }
  config.update(columns_json(trained.columns));
  return with_fields(std::move(config), trained.model->options());
}

bool says_several_labels(const JsonValue& config) {
  if (!config.has("problem_type")) return false;
  return config.at("problem_type").one_of<bool>({{kOneLabel, false}, {kSeveralLabels, true}});
}

void read_label_rule(const JsonValue& config, TrainedTextClassifier& trained) {
  if (!says_several_labels(config)) return;
  trained.label_separator = config.at("label_separator").string();
  if (trained.label_separator.empty())
    config.at("label_separator").fail("a text that is not empty");
  const JsonValue thresholds = config.at("label_thresholds");
  if (thresholds.array_size() != trained.labels.size()) thresholds.fail("a number for each label");
  for (size_t i = 0; i < trained.labels.size(); ++i) {
    trained.thresholds.push_back(thresholds.at(i).number({.least = 0, .most = 1}));
  }
}

void check_against_weights(const WeightCheck& check, const TextClassifierOptions& options) {
  const TransformerOptions& o = options.transformer;
  check.shape("embedding.weight", {options.vocab_size, o.d_model}, "vocab_size");
  check.positions("input.positions", o);
  check.stack("encoder", o);
  if (!is_hierarchical(options)) return;
  const TransformerOptions documents = document_options(options).transformer;
  check.positions("documents.positions", documents, "max_sentences");
  check.stack("documents.encoder", documents);
}

}  // namespace

void save(const TrainedTextClassifier& trained, const std::filesystem::path& directory) {
  if (trained.published) {
    // transformers reads the first of them and keeps the others.
    OrderedJson fields = {
        {"problem_type", has_several_labels(trained) ? kSeveralLabels : kOneLabel}};
    if (has_several_labels(trained)) {
      fields["label_separator"] = trained.label_separator;
      fields["label_thresholds"] = trained.thresholds;
    }
    fields.update(columns_json(trained.columns));
    for (const auto& [name, value] : fields.items()) {
      trained.published->set_config(name, value);
    }
    return trained.published->save(directory);
  }
  save_model({.config = config_json(trained),
              .module = trained.model.get(),
              .tokenizers = {{.tokenizer = trained.tokenizer.get()}}},
             directory);
}

TrainedTextClassifier as_text_classifier(const PublishedFiles& files) {
  const JsonValue& config = files.model->config().json();
  TrainedTextClassifier trained{
      .model = std::make_shared<published::PublishedClassifier>(files.model,
                                                                files.tokenizer.max_length.value()),
      .tokenizer = std::make_shared<const text::Tokenizer>(files.tokenizer.tokenizer),
      .labels = files.model->labels(),
      .published = files.model};
  trained.model->eval();
  bool several = trained.labels.size() == 1;  // a yes or no, as rerankers have it
  if (config.has("problem_type")) {
    several =
        config.at("problem_type").one_of<bool>({{kOneLabel, several}, {kSeveralLabels, true}});
  }
  trained.columns = columns_from(config);
  if (!several) return trained;
  if (config.has("label_separator")) {
    read_label_rule(config, trained);
  } else {
    trained.label_separator = kSeparator;
    trained.thresholds.assign(trained.labels.size(), kThreshold);
  }
  return trained;
}

TrainedTextClassifier load_text_classifier(const std::filesystem::path& directory) {
  if (is_published(directory)) {
    return as_text_classifier(
        open_published(directory, published::Purpose::kSequenceClassification));
  }
  const ModelDirectory files(directory, kTextClassifierType);
  const JsonValue& config = files.config();
  TrainedTextClassifier trained;
  trained.labels = labels_from(config, says_several_labels(config) ? 1 : 2);
  trained.columns = columns_from(config);
  read_label_rule(config, trained);
  auto options = fields_from<TextClassifierOptions>(config);
  options.classes = std::ssize(trained.labels);
  trained.tokenizer = std::make_shared<const text::Tokenizer>(
      files.tokenizer()->with_max_length(static_cast<int32_t>(options.transformer.max_length)));
  trained.model = files.model<TextClassifier>(options, check_against_weights);
  return trained;
}

}  // namespace heed::models
