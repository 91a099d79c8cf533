#include "heed/models/files/text_classifier_files.h"

#include "heed/io/json.h"
#include "heed/models/files/label_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/transformer_files.h"
#include "heed/models/files/weight_check.h"

namespace heed::models {
namespace {

constexpr const char* kModelType = "heed_text_classifier";
constexpr const char* kSeveralLabels = "multi_label_classification";  // the word of transformers

OrderedJson config_json(const TrainedTextClassifier& trained) {
  const TextClassifierOptions& o = trained.model->options();
  OrderedJson config = {
      {"architectures", {"TextClassifier"}},
      {"model_type", kModelType},
      {"task", trained.task},
      {"vocab_size", o.vocabulary},
      {"pad_token_id", o.padding_id},
      {"embedding_deviation", o.embedding_deviation},
      {"documents", o.documents},
      {"torch_dtype", "float32"},
  };
  config.update(labels_json(trained.labels));
  if (is_hierarchical(o)) {
    config["max_sentences"] = o.most_sentences;
    config["num_sentence_layers"] = o.sentence_layers;
  }
  config["problem_type"] =
      has_several_labels(trained) ? kSeveralLabels : "single_label_classification";
  if (has_several_labels(trained)) {
    config["label_separator"] = trained.label_separator;
    config["label_thresholds"] = trained.thresholds;
  }
  config.update(transformer_json(o.transformer));
  return config;
}

bool says_several_labels(const JsonValue& config) {
  return config.has("problem_type") && config.at("problem_type").string() == kSeveralLabels;
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

TextClassifierOptions options_from(const JsonValue& config, int64_t classes) {
  constexpr int64_t kLarge = 1 << 24;
  TextClassifierOptions options = {
      .vocabulary = config.at("vocab_size").integer({.least = 1, .most = kLarge}),
      .classes = classes,
      .padding_id = config.at("pad_token_id").integer({.least = 0, .most = kLarge}),
      .transformer = transformer_from(config),
      .embedding_deviation = config.at("embedding_deviation").number({.least = 0, .most = 100}),
  };
  if (config.has("documents")) options.documents = config.at("documents").string();
  if (is_hierarchical(options)) {
    options.most_sentences = config.at("max_sentences").integer({.least = 1, .most = 1 << 16});
    options.sentence_layers = config.at("num_sentence_layers").integer({.least = 1, .most = 1000});
  }
  return options;
}

void check_against_weights(const WeightCheck& check, const TextClassifierOptions& options) {
  const TransformerOptions& o = options.transformer;
  check.shape("embedding.weight", {options.vocabulary, o.width}, "vocab_size");
  if (o.attention.positions == "learned") {
    check.shape("input.positions.table", {o.longest, o.width}, "max_position_embeddings");
  }
  check.stack("encoder", o);
  if (!is_hierarchical(options)) return;
  if (o.attention.positions == "learned") {
    check.shape("documents.positions.table", {options.most_sentences, o.width}, "max_sentences");
  }
  check.stack("documents.encoder", document_options(options).transformer);
}

}  // namespace

void save(const TrainedTextClassifier& trained, const std::filesystem::path& directory) {
  save_model({.config = config_json(trained),
              .module = trained.model.get(),
              .tokenizers = {{.tokenizer = trained.tokenizer.get()}}},
             directory);
}

TrainedTextClassifier load_text_classifier(const std::filesystem::path& directory) {
  const ModelDirectory files(directory, kModelType);
  const JsonValue& config = files.config();
  TrainedTextClassifier trained;
  trained.labels = labels_from(config, says_several_labels(config) ? 1 : 2);
  trained.task = config.at("task").string();
  read_label_rule(config, trained);
  const auto classes = static_cast<int64_t>(trained.labels.size());
  const TextClassifierOptions options = options_from(config, classes);
  trained.tokenizer = std::make_shared<const text::Tokenizer>(
      files.tokenizer()->with_max_length(static_cast<int32_t>(options.transformer.longest)));
  trained.model = files.model<TextClassifier>(options, check_against_weights);
  return trained;
}

}  // namespace heed::models
