#include "heed/models/files/question_answerer_files.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "heed/models/files/fields_json.h"
#include "heed/models/files/label_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/published_files.h"
#include "heed/models/files/weight_check.h"
#include "heed/models/published/task_networks.h"

namespace heed::models {
namespace {

constexpr const char* kQuestionAnswererType = "heed_question_answerer";

OrderedJson config_json(const TrainedQuestionAnswerer& trained) {
  const QuestionAnswererOptions& o = trained.model->options();
  OrderedJson config = {
      {"architectures", {"QuestionAnswerer"}},
      {"model_type", kQuestionAnswererType},
      {"task", "qa"},
      {"torch_dtype", "float32"},
  };
  if (o.answers == "class") {
    config.update(labels_json(trained.labels));
  } else {
    config = with_fields(std::move(config), trained.spans);
  }
  return with_fields(std::move(config), o);
}

void check_against_weights(const WeightCheck& check, const QuestionAnswererOptions& options) {
  const TransformerOptions& o = options.transformer;
  check.shape("embedding.weight", {options.vocab_size, o.d_model}, "vocab_size");
  check.positions("positions", o);
  check.stack("encoder", o);
}

}  // namespace

void save(const TrainedQuestionAnswerer& trained, const std::filesystem::path& directory) {
  if (trained.published) {
    const OrderedJson spans = with_fields(OrderedJson::object(), trained.spans);
    for (const auto& [name, value] : spans.items()) {
      trained.published->set_config(name, value);  // which transformers keeps
    }
    return trained.published->save(directory);
  }
  save_model({.config = config_json(trained),
              .module = trained.model.get(),
              .tokenizers = {{.tokenizer = trained.tokenizer.get()}}},
             directory);
}

TrainedQuestionAnswerer as_question_answerer(const PublishedFiles& files) {
  TrainedQuestionAnswerer trained{.model = std::make_shared<published::PublishedAnswerer>(
                                      files.model, files.tokenizer.max_length.value()),
                                  .tokenizer = std::make_shared<const text::Tokenizer>(
                                      files.tokenizer.tokenizer.with_max_length(std::nullopt)),
                                  .published = files.model};
  trained.model->eval();
  const JsonValue& config = files.model->config().json();
  if (config.has("answer_may_be_missing")) trained.spans = fields_from<SpanReading>(config);
  return trained;
}

TrainedQuestionAnswerer load_question_answerer(const std::filesystem::path& directory) {
  if (is_published(directory)) {
    return as_question_answerer(open_published(directory, published::Purpose::kQuestionAnswering));
  }
  const ModelDirectory files(directory, kQuestionAnswererType);
  const JsonValue& config = files.config();
  TrainedQuestionAnswerer trained;
  if (config.at("answers").string() == "class") {
    trained.labels = labels_from(config);
  } else {
    trained.spans = fields_from<SpanReading>(config);
  }
  auto options = fields_from<QuestionAnswererOptions>(config);
  options.classes = std::ssize(trained.labels);
  trained.tokenizer = files.tokenizer();
  trained.model = files.model<QuestionAnswerer>(options, check_against_weights);
  return trained;
}

}  // namespace heed::models
