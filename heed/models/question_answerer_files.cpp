#include "heed/models/question_answerer_files.h"

#include "heed/base/error.h"
#include "heed/models/label_json.h"
#include "heed/models/model_directory.h"
#include "heed/models/transformer_files.h"
#include "heed/models/weights.h"

namespace heed::models {
namespace {

constexpr const char* kModelType = "heed_question_answerer";
constexpr int64_t kLarge = 1 << 24;

OrderedJson config_json(const TrainedQuestionAnswerer& trained) {
  const QuestionAnswererOptions& o = trained.model->options();
  OrderedJson config = {
      {"architectures", {"QuestionAnswerer"}},
      {"model_type", kModelType},
      {"task", "qa"},
      {"answers", o.answers},
      {"vocab_size", o.vocabulary},
      {"pad_token_id", o.padding_id},
      {"units", o.units},
      {"max_unit_length", o.longest_unit},
      {"num_hops", o.hops},
      {"embedding_deviation", o.embedding_deviation},
      {"torch_dtype", "float32"},
  };
  if (o.answers == "class") {
    config.update(labels_json(trained.labels));
  } else {
    config["max_answer_length"] = trained.spans.longest_answer;
    config["doc_stride"] = trained.spans.stride;
    config["answer_may_be_missing"] = trained.spans.may_be_missing;
  }
  config.update(transformer_json(o.transformer));
  return config;
}

QuestionAnswererOptions options_from(const JsonValue& config, size_t classes) {
  return {
      .vocabulary = config.at("vocab_size").integer({.least = 1, .most = kLarge}),
      .answers = config.at("answers").string(),
      .classes = static_cast<int64_t>(classes),
      .units = config.at("units").string(),
      .longest_unit = config.at("max_unit_length").integer({.least = 1, .most = kLarge}),
      .hops = config.at("num_hops").integer({.least = 1, .most = 1000}),
      .transformer = transformer_from(config),
      .padding_id = config.at("pad_token_id").integer({.least = -1, .most = kLarge}),
      .embedding_deviation = config.at("embedding_deviation").number({.least = 0, .most = 100}),
  };
}

SpanReading spans_from(const JsonValue& config) {
  return {
      .longest_answer = config.at("max_answer_length").integer({.least = 1, .most = kLarge}),
      .stride = config.at("doc_stride").integer({.least = 1, .most = kLarge}),
      .may_be_missing = config.at("answer_may_be_missing").boolean(),
  };
}

void check_against_weights(const JsonValue& config, const QuestionAnswererOptions& options,
                           const Safetensors& weights) {
  const TransformerOptions& o = options.transformer;
  const auto check = [&](const char* name, int64_t rows, const char* field) {
    if (weights.at(name).shape != std::vector<int64_t>{rows, o.width}) {
      config.at(field).fail(text_of("the shape of '", name, "' in ", weights.name()));
    }
  };
  check("embedding.weight", options.vocabulary, "vocab_size");
  if (o.attention.positions == "learned") {
    check("positions.table", o.longest, "max_position_embeddings");
  }
  check_stack_against_weights(config, o, weights, "encoder");
}

}  // namespace

void save(const TrainedQuestionAnswerer& trained, const std::filesystem::path& directory) {
  save_model({.config = config_json(trained),
              .module = trained.model.get(),
              .tokenizers = {{.tokenizer = trained.tokenizer.get()}}},
             directory);
}

TrainedQuestionAnswerer load_question_answerer(const std::filesystem::path& directory) {
  const ModelDirectory files(directory, kModelType);
  const JsonValue& config = files.config();
  TrainedQuestionAnswerer trained;
  if (config.at("answers").string() == "class") {
    trained.labels = labels_from(config);
  } else {
    trained.spans = spans_from(config);
  }
  const QuestionAnswererOptions options = options_from(config, trained.labels.size());
  trained.tokenizer = std::make_shared<const text::Tokenizer>(files.tokenizer());
  if (trained.tokenizer->size() > options.vocabulary) {
    config.at("vocab_size")
        .fail(text_of("at least the ", trained.tokenizer->size(), " of tokenizer.json"));
  }
  const Safetensors weights = files.weights();
  check_against_weights(config, options, weights);
  trained.model =
      files.made_from_config([&] { return std::make_shared<QuestionAnswerer>(options); });
  load_parameters(*trained.model, weights);
  trained.model->eval();
  return trained;
}

}  // namespace heed::models
