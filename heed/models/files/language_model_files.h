// A trained language model as a directory: config.json, model.safetensors, tokenizer.json, in the
// layout that Hugging Face tools use (docs/model_directory.md).
#pragma once

#include <filesystem>
#include <memory>

#include "heed/models/language_model.h"
#include "heed/text/tokenizer.h"

namespace heed::models {
namespace published {
class Published;
}
struct PublishedFiles;  // published_files.h

struct TrainedLanguageModel {
  std::shared_ptr<LanguageModel> model;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::shared_ptr<published::Published> published = {};  // whose `model` is; null: Heed's own

  // Whether texts begin with what the tokenizer puts around them.
  text::Surround surround() const { return published ? text::Surround::kYes : text::Surround::kNo; }
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedLanguageModel& trained, const std::filesystem::path& directory);

// Heed's own or a published one (heed/models/published), in evaluation mode. Throws
// MissingInputError where there is no such directory, DataError where a file in it cannot be used;
// the message names the file and the field.
TrainedLanguageModel load_language_model(const std::filesystem::path& directory);

// What a published model is as one of Heed's.
TrainedLanguageModel as_language_model(const PublishedFiles& files);

}  // namespace heed::models
