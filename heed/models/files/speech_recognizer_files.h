// A trained recogniser of speech as a directory: config.json and model.safetensors.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/files/speech_parts.h"
#include "heed/models/speech_recognizer.h"

namespace heed::models {

struct TrainedSpeechRecognizer {
  std::shared_ptr<SpeechRecognizer> model;
  // What each token writes; that of the blank, the first one, is empty. Characters, a blank between
  // words among them, or whole words.
  std::vector<std::string> tokens;
  bool words = false;
  FrameScale scale;
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedSpeechRecognizer& trained, const std::filesystem::path& directory);

// In evaluation mode. Throws MissingInputError where there is no such directory, DataError where a
// file in it cannot be used; the message names the file and the field.
TrainedSpeechRecognizer load_speech_recognizer(const std::filesystem::path& directory);

}  // namespace heed::models
