#include "heed/models/text_classifier_files.h"

#include <set>

#include "heed/base/error.h"
#include "heed/io/json.h"
#include "heed/io/safetensors.h"
#include "heed/models/attention_json.h"
#include "heed/models/model_directory.h"
#include "heed/models/weights.h"

namespace heed::models {
namespace {

constexpr const char* kModelType = "heed_text_classifier";

OrderedJson config_json(const TrainedTextClassifier& trained) {
  const TextClassifierOptions& o = trained.model->options();
  OrderedJson id2label = OrderedJson::object();
  OrderedJson label2id = OrderedJson::object();
  for (size_t i = 0; i < trained.labels.size(); ++i) {
    id2label[std::to_string(i)] = trained.labels[i];
    label2id[trained.labels[i]] = i;
  }
  OrderedJson config = {
      {"architectures", {"TextClassifier"}},
      {"model_type", kModelType},
      {"task", trained.task},
      {"vocab_size", o.vocabulary},
      {"hidden_size", o.width},
      {"num_attention_heads", o.heads},
      {"num_hidden_layers", o.layers},
      {"intermediate_size", o.hidden},
      {"max_position_embeddings", o.longest},
      {"pad_token_id", o.padding_id},
      {"norm", o.norm},
      {"norm_kind", o.norm_kind},
      {"hidden_act", o.activation},
      {"initialisation", o.initialisation},
      {"embedding_deviation", o.embedding_deviation},
      {"hidden_dropout_prob", o.dropout},
      {"attention_probs_dropout_prob", o.attention_dropout},
      {"embedding_dropout_prob", o.embedding_dropout},
      {"id2label", id2label},
      {"label2id", label2id},
      {"torch_dtype", "float32"},
  };
  config.update(attention_json(o.attention));
  return config;
}

// The classes of id2label, whose keys must be 0 .. count − 1.
std::vector<std::string> labels_from(const JsonValue& config) {
  const JsonValue names = config.at("id2label");
  std::vector<std::string> labels;
  if (!names.json().is_object() || names.json().size() < 2) names.fail("two labels or more");
  for (size_t i = 0; i < names.json().size(); ++i) {
    labels.push_back(names.at(std::to_string(i)).string());
  }
  if (std::set<std::string>(labels.begin(), labels.end()).size() != labels.size()) {
    names.fail("labels that differ from each other");
  }
  return labels;
}

TextClassifierOptions options_from(const JsonValue& config, int64_t classes) {
  constexpr int64_t kLarge = 1 << 24;
  const auto whole = [&](const char* name, int64_t least) {
    return config.at(name).integer({.least = least, .most = kLarge});
  };
  const auto share = [&](const char* name) {
    return config.at(name).number({.least = 0, .most = 0.999});
  };
  return {
      .vocabulary = whole("vocab_size", 1),
      .classes = classes,
      .width = whole("hidden_size", 1),
      .heads = whole("num_attention_heads", 1),
      .layers = config.at("num_hidden_layers").integer({.least = 1, .most = 1000}),
      .hidden = whole("intermediate_size", 1),
      .longest = whole("max_position_embeddings", 1),
      .padding_id = whole("pad_token_id", 0),
      .attention = attention_from(config),
      .norm = config.at("norm").string(),
      .norm_kind = config.has("norm_kind") ? config.at("norm_kind").string() : "layer",
      .activation = config.at("hidden_act").string(),
      .initialisation = config.at("initialisation").string(),
      .embedding_deviation = config.at("embedding_deviation").number({.least = 0, .most = 100}),
      .dropout = share("hidden_dropout_prob"),
      .attention_dropout = share("attention_probs_dropout_prob"),
      .embedding_dropout = share("embedding_dropout_prob"),
  };
}

// A config of a few bytes must not make the program allocate more than the weights on disk hold:
// the embedding table is by far the largest part that config.json alone decides.
void check_against_weights(const JsonValue& config, const TextClassifierOptions& options,
                           const Safetensors& weights) {
  const StoredTensor& table = weights.at("embedding.weight");
  if (table.shape != std::vector<int64_t>{options.vocabulary, options.width}) {
    config.at("vocab_size").fail("the shape of 'embedding.weight' in " + weights.name());
  }
  const StoredTensor& down = weights.at("encoder.layer_0.feed_forward.down.weight");
  if (down.shape != std::vector<int64_t>{options.width, options.hidden}) {
    config.at("intermediate_size").fail("the shape of '" + down.name + "' in " + weights.name());
  }
  if (options.attention.positions == "learned") {
    const StoredTensor& positions = weights.at("input.positions.table");
    if (positions.shape != std::vector<int64_t>{options.longest, options.width}) {
      config.at("max_position_embeddings")
          .fail("the shape of '" + positions.name + "' in " + weights.name());
    }
  }
  if (options.attention.positions == "relative") {
    const StoredTensor& biases = weights.at("encoder.layer_0.attention.relative_table");
    if (biases.shape !=
        std::vector<int64_t>{options.heads, 2 * options.attention.relative_reach + 1}) {
      config.at("relative_reach").fail("the shape of '" + biases.name + "' in " + weights.name());
    }
  }
  weights.at(text_of("encoder.layer_", options.layers - 1, ".attention_norm.weight"));
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
  trained.labels = labels_from(config);
  trained.task = config.at("task").string();
  const auto classes = static_cast<int64_t>(trained.labels.size());
  const TextClassifierOptions options = options_from(config, classes);
  const text::Tokenizer tokenizer = files.tokenizer();
  if (tokenizer.size() > options.vocabulary) {
    config.at("vocab_size").fail(text_of("at least the ", tokenizer.size(), " of tokenizer.json"));
  }
  trained.tokenizer = std::make_shared<const text::Tokenizer>(
      tokenizer.with_max_length(static_cast<int32_t>(options.longest)));

  const Safetensors weights = files.weights();
  check_against_weights(config, options, weights);
  trained.model = files.made_from_config([&] { return std::make_shared<TextClassifier>(options); });
  load_parameters(*trained.model, weights);
  trained.model->eval();
  return trained;
}

}  // namespace heed::models
