#include "heed/models/files/speech_classifier_files.h"

#include <nlohmann/json.hpp>

#include "heed/models/files/fields_json.h"
#include "heed/models/files/label_json.h"
#include "heed/models/files/model_directory.h"

namespace heed::models {
namespace {

constexpr const char* kSpeechClassifierType = "heed_speech_classifier";

void check_against_weights(const WeightCheck& check, const SpeechClassifierOptions& o) {
  check.shape("head.weight", {o.num_classes, o.speech.transformer.d_model}, "num_classes");
  check_encoder(check, o.speech);
}

}  // namespace

void save(const TrainedSpeechClassifier& trained, const std::filesystem::path& directory) {
  OrderedJson config = {{"architectures", {"SpeechClassifier"}},
                        {"model_type", kSpeechClassifierType},
                        {"task", "speech"},
                        {"torch_dtype", "float32"}};
  config.update(labels_json(trained.labels));
  config.update(scale_json(trained.scale));
  save_model({.config = with_fields(std::move(config), trained.model->options()),
              .module = trained.model.get(),
              .tokenizers = {}},
             directory);
}

TrainedSpeechClassifier load_speech_classifier(const std::filesystem::path& directory) {
  const ModelDirectory files(directory, kSpeechClassifierType);
  const JsonValue& config = files.config();
  const auto options = fields_from<SpeechClassifierOptions>(config);
  TrainedSpeechClassifier trained;
  trained.labels = labels_from(config);
  if (std::ssize(trained.labels) != options.num_classes) {
    config.at("num_classes").fail(text_of(trained.labels.size(), ", as id2label has"));
  }
  trained.scale = scale_from(config, options.speech.num_mel_bins);
  trained.model = files.model<SpeechClassifier>(options, check_against_weights);
  return trained;
}

}  // namespace heed::models
