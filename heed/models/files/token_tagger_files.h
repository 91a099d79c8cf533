// A trained tagger of words as a directory: config.json, model.safetensors, tokenizer.json (the
// subwords) and characters.json, in the layout that Hugging Face tools use
// (docs/model_directory.md).
#pragma once

#include <filesystem>
#include <memory>

#include "heed/models/files/columns_json.h"
#include "heed/models/token_tagger.h"
#include "heed/text/tokenizer.h"

namespace heed::models {
namespace published {
class Published;
}
struct PublishedFiles;  // published_files.h

struct TrainedTokenTagger {
  std::shared_ptr<TokenTagger> model;
  std::shared_ptr<const text::Tokenizer> tokenizer;      // of words into subwords
  std::shared_ptr<const text::Tokenizer> characters;     // of words into characters; null: not read
  DataColumns columns = {};                              // "word": a number
  std::shared_ptr<published::Published> published = {};  // what `model` is; null: Heed's own

  // What makes batches for the model.
  WordReader reader() const;
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedTokenTagger& trained, const std::filesystem::path& directory);

// Heed's own or a published one (heed/models/published), in evaluation mode. Throws
// MissingInputError where there is no such directory, DataError where a file in it cannot be used;
// the message names the file and the field.
TrainedTokenTagger load_token_tagger(const std::filesystem::path& directory);

// What a published model is as one of Heed's.
TrainedTokenTagger as_token_tagger(const PublishedFiles& files);

}  // namespace heed::models
