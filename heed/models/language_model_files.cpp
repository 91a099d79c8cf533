#include "heed/models/language_model_files.h"

#include "heed/base/error.h"
#include "heed/models/model_directory.h"
#include "heed/models/transformer_files.h"
#include "heed/models/weights.h"

namespace heed::models {
namespace {

constexpr const char* kModelType = "heed_language_model";

OrderedJson config_json(const LanguageModelOptions& options) {
  OrderedJson config = {
      {"architectures", {"LanguageModel"}},
      {"model_type", kModelType},
      {"task", "lm"},
      {"vocab_size", options.vocabulary},
      {"tie_word_embeddings", options.tied},
      {"embedding_deviation", options.embedding_deviation},
      {"torch_dtype", "float32"},
  };
  config.update(transformer_json(options.transformer));
  return config;
}

LanguageModelOptions options_from(const JsonValue& config) {
  return {
      .vocabulary = config.at("vocab_size").integer({.least = 1, .most = 1 << 24}),
      .transformer = transformer_from(config),
      .tied = config.at("tie_word_embeddings").boolean(),
      .embedding_deviation = config.at("embedding_deviation").number({.least = 0, .most = 100}),
  };
}

void check_against_weights(const JsonValue& config, const LanguageModelOptions& options,
                           const Safetensors& weights) {
  const TransformerOptions& o = options.transformer;
  const auto check = [&](const char* name, int64_t rows, const char* field) {
    if (weights.at(name).shape != std::vector<int64_t>{rows, o.width}) {
      config.at(field).fail(text_of("the shape of '", name, "' in ", weights.name()));
    }
  };
  check("input.embedding.weight", options.vocabulary, "vocab_size");
  if (o.attention.positions == "learned") {
    check("input.positions.table", o.longest, "max_position_embeddings");
  }
  check_stack_against_weights(config, o, weights, "decoder");
}

}  // namespace

void save(const TrainedLanguageModel& trained, const std::filesystem::path& directory) {
  save_model({.config = config_json(trained.model->options()),
              .module = trained.model.get(),
              .tokenizers = {{.tokenizer = trained.tokenizer.get()}}},
             directory);
}

TrainedLanguageModel load_language_model(const std::filesystem::path& directory) {
  const ModelDirectory files(directory, kModelType);
  const JsonValue& config = files.config();
  const LanguageModelOptions options = options_from(config);
  TrainedLanguageModel trained;
  trained.tokenizer = std::make_shared<const text::Tokenizer>(files.tokenizer());
  if (trained.tokenizer->size() > options.vocabulary) {
    config.at("vocab_size")
        .fail(text_of("at least the ", trained.tokenizer->size(), " of tokenizer.json"));
  }
  const Safetensors weights = files.weights();
  check_against_weights(config, options, weights);
  trained.model = files.made_from_config([&] { return std::make_shared<LanguageModel>(options); });
  load_parameters(*trained.model, weights);
  trained.model->eval();
  return trained;
}

}  // namespace heed::models
