// A trained classifier of sounds as a directory: config.json and model.safetensors.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/files/speech_parts.h"
#include "heed/models/speech_classifier.h"

namespace heed::models {

struct TrainedSpeechClassifier {
  std::shared_ptr<SpeechClassifier> model;
  std::vector<std::string> labels;
  FrameScale scale;
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedSpeechClassifier& trained, const std::filesystem::path& directory);

// In evaluation mode. Throws MissingInputError where there is no such directory, DataError where a
// file in it cannot be used; the message names the file and the field.
TrainedSpeechClassifier load_speech_classifier(const std::filesystem::path& directory);

}  // namespace heed::models
