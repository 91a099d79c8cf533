#include "heed/models/files/language_model_files.h"

#include <nlohmann/json.hpp>

#include "heed/models/files/fields_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/published_files.h"
#include "heed/models/files/weight_check.h"

namespace heed::models {
namespace {

constexpr const char* kLanguageModelType = "heed_language_model";

OrderedJson config_json(const LanguageModelOptions& options) {
  return with_fields({{"architectures", {"LanguageModel"}},
                      {"model_type", kLanguageModelType},
                      {"task", "lm"},
                      {"torch_dtype", "float32"}},
                     options);
}

void check_against_weights(const WeightCheck& check, const LanguageModelOptions& options) {
  const TransformerOptions& o = options.transformer;
  check.shape("input.embedding.weight", {options.vocab_size, o.d_model}, "vocab_size");
  check.positions("input.positions", o);
  check.stack("decoder", o);
}

}  // namespace

void save(const TrainedLanguageModel& trained, const std::filesystem::path& directory) {
  if (trained.published) return trained.published->save(directory);
  save_model({.config = config_json(trained.model->options()),
              .module = trained.model.get(),
              .tokenizers = {{.tokenizer = trained.tokenizer.get()}}},
             directory);
}

TrainedLanguageModel as_language_model(const PublishedFiles& files) {
  return {.model = files.model->language_model(),
          .tokenizer = std::make_shared<const text::Tokenizer>(
              files.tokenizer.tokenizer.with_max_length(std::nullopt)),
          .published = files.model};
}

TrainedLanguageModel load_language_model(const std::filesystem::path& directory) {
  if (is_published(directory)) {
    return as_language_model(open_published(directory, published::Purpose::kCausalLm));
  }
  const ModelDirectory files(directory, kLanguageModelType);
  const auto options = fields_from<LanguageModelOptions>(files.config());
  TrainedLanguageModel trained;
  trained.tokenizer = files.tokenizer();
  trained.model = files.model<LanguageModel>(options, check_against_weights);
  return trained;
}

}  // namespace heed::models
