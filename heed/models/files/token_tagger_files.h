// A trained tagger of words as a directory: config.json, model.safetensors, tokenizer.json (the
// subwords) and characters.json, in the layout that Hugging Face tools use
// (docs/model_directory.md).
#pragma once

#include <filesystem>
#include <memory>

#include "heed/models/token_tagger.h"
#include "heed/text/tokenizer.h"

namespace heed::models {

struct TrainedTokenTagger {
  std::shared_ptr<TokenTagger> model;
  std::shared_ptr<const text::Tokenizer> tokenizer;   // of words into subwords
  std::shared_ptr<const text::Tokenizer> characters;  // of words into characters

  // What makes batches for the model.
  WordReader reader() const;
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedTokenTagger& trained, const std::filesystem::path& directory);

// In evaluation mode. Throws MissingInputError where there is no such directory, DataError where a
// file in it cannot be used; the message names the file and the field.
TrainedTokenTagger load_token_tagger(const std::filesystem::path& directory);

}  // namespace heed::models
