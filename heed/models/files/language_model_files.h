// A trained language model as a directory: config.json, model.safetensors, tokenizer.json, in the
// layout that Hugging Face tools use (docs/model_directory.md).
#pragma once

#include <filesystem>
#include <memory>

#include "heed/models/language_model.h"
#include "heed/text/tokenizer.h"

namespace heed::models {

struct TrainedLanguageModel {
  std::shared_ptr<LanguageModel> model;
  std::shared_ptr<const text::Tokenizer> tokenizer;
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedLanguageModel& trained, const std::filesystem::path& directory);

// In evaluation mode. Throws MissingInputError where there is no such directory, DataError where a
// file in it cannot be used; the message names the file and the field.
TrainedLanguageModel load_language_model(const std::filesystem::path& directory);

}  // namespace heed::models
