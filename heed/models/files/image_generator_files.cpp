#include "heed/models/files/image_generator_files.h"

#include <nlohmann/json.hpp>

#include "heed/models/files/fields_json.h"
#include "heed/models/files/label_json.h"
#include "heed/models/files/model_directory.h"
#include "heed/models/files/weight_check.h"

namespace heed::models {
namespace {

void check_generator_weights(const WeightCheck& check, const ImageGeneratorOptions& o) {
  const LanguageModelOptions language = language_model_options(o);
  check.shape("codebook", {o.codebook_size, code_options(o).values()}, "codebook_size");
  check.shape("language_model.input.embedding.weight",
              {language.vocab_size, language.transformer.d_model}, "num_classes");
  check.positions("language_model.input.positions", language.transformer, "image_height");
  check.stack("language_model.decoder", language.transformer);
}

}  // namespace

void save(const TrainedImageGenerator& trained, const std::filesystem::path& directory) {
  OrderedJson config = {{"architectures", {"ImageGenerator"}},
                        {"model_type", kImageGeneratorType},
                        {"task", "image-generation"},
                        {"torch_dtype", "float32"}};
  config.update(labels_json(trained.labels));
  save_model({.config = with_fields(std::move(config), trained.model->options()),
              .module = trained.model.get(),
              .tokenizers = {}},
             directory);
}

TrainedImageGenerator load_image_generator(const std::filesystem::path& directory) {
  const ModelDirectory files(directory, kImageGeneratorType);
  const JsonValue& config = files.config();
  const auto options = fields_from<ImageGeneratorOptions>(config);
  TrainedImageGenerator trained;
  trained.labels = labels_from(config, 1);
  if (std::ssize(trained.labels) != options.num_classes) {
    config.at("num_classes").fail(text_of(trained.labels.size(), ", as id2label has"));
  }
  trained.model = files.model<ImageGenerator>(options, check_generator_weights);
  try {
    trained.model->codes();
  } catch (const UsageError& error) {
    throw DataError((directory / "model.safetensors").string(), error.what());
  }
  return trained;
}

}  // namespace heed::models
