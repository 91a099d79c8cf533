#include "heed/models/files/speech_recognizer_files.h"

#include <nlohmann/json.hpp>
#include <set>

#include "heed/models/files/fields_json.h"
#include "heed/models/files/model_directory.h"

namespace heed::models {
namespace {

constexpr const char* kSpeechRecognizerType = "heed_speech_recognizer";

void check_against_weights(const WeightCheck& check, const SpeechRecognizerOptions& o) {
  check.shape("head.weight", {o.num_tokens, o.speech.transformer.d_model}, "num_tokens");
  check_encoder(check, o.speech);
}

std::vector<std::string> tokens_from(const JsonValue& json, int64_t count) {
  std::vector<std::string> tokens = json.strings();
  if (std::ssize(tokens) != count) json.fail(text_of(count, " texts, as num_tokens says"));
  if (std::set<std::string>(tokens.begin(), tokens.end()).size() != tokens.size() ||
      !tokens.front().empty()) {
    json.fail("an empty text, that of the blank, and then others that all differ");
  }
  return tokens;
}

}  // namespace

void save(const TrainedSpeechRecognizer& trained, const std::filesystem::path& directory) {
  OrderedJson config = {{"architectures", {"SpeechRecognizer"}},
                        {"model_type", kSpeechRecognizerType},
                        {"task", "asr"},
                        {"torch_dtype", "float32"},
                        {"tokens", trained.tokens},
                        {"units", trained.words ? "words" : "characters"}};
  config.update(scale_json(trained.scale));
  save_model({.config = with_fields(std::move(config), trained.model->options()),
              .module = trained.model.get(),
              .tokenizers = {}},
             directory);
}

TrainedSpeechRecognizer load_speech_recognizer(const std::filesystem::path& directory) {
  const ModelDirectory files(directory, kSpeechRecognizerType);
  const JsonValue& config = files.config();
  const auto options = fields_from<SpeechRecognizerOptions>(config);
  TrainedSpeechRecognizer trained;
  trained.tokens = tokens_from(config.at("tokens"), options.num_tokens);
  trained.words = config.at("units").one_of<bool>({{"characters", false}, {"words", true}});
  trained.scale = scale_from(config, options.speech.num_mel_bins);
  trained.model = files.model<SpeechRecognizer>(options, check_against_weights);
  return trained;
}

}  // namespace heed::models
