// A trained encoder-decoder as a directory: config.json, model.safetensors, tokenizer.json and,
// where the target has a vocabulary of its own, target_tokenizer.json (docs/model_directory.md).
#pragma once

#include <filesystem>
#include <memory>

#include "heed/models/encoder_decoder.h"
#include "heed/models/files/columns_json.h"
#include "heed/text/tokenizer.h"

namespace heed::models {

// Tokens that the vocabularies must hold: the target begins with the one, both sides end with the
// other.
inline constexpr const char* kBeginToken = "<s>";
inline constexpr const char* kEndToken = "</s>";

struct TrainedEncoderDecoder {
  std::shared_ptr<EncoderDecoder> model;
  std::shared_ptr<const text::Tokenizer> source;
  std::shared_ptr<const text::Tokenizer> target;  // the same object where both share a vocabulary
  DataColumns columns = {};
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedEncoderDecoder& trained, const std::filesystem::path& directory);

// In evaluation mode. Throws MissingInputError where there is no such directory, DataError where a
// file in it cannot be used; the message names the file and the field.
TrainedEncoderDecoder load_encoder_decoder(const std::filesystem::path& directory);

}  // namespace heed::models
