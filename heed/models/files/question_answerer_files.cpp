#include "heed/models/files/question_answerer_files.h"

#include "heed/models/files/label_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/transformer_files.h"
#include "heed/models/files/weight_check.h"

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

void check_against_weights(const WeightCheck& check, const QuestionAnswererOptions& options) {
  const TransformerOptions& o = options.transformer;
  check.shape("embedding.weight", {options.vocabulary, o.width}, "vocab_size");
  if (o.attention.positions == "learned") {
    check.shape("positions.table", {o.longest, o.width}, "max_position_embeddings");
  }
  check.stack("encoder", o);
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
  trained.tokenizer = files.tokenizer();
  trained.model = files.model<QuestionAnswerer>(options, check_against_weights);
  return trained;
}

}  // namespace heed::models
