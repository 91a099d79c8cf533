// A trained encoder-decoder as a directory: config.json, model.safetensors, tokenizer.json and,
// where the target has a vocabulary of its own, target_tokenizer.json (docs/model_directory.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "heed/models/encoder_decoder.h"
#include "heed/models/files/columns_json.h"
#include "heed/text/tokenizer.h"

namespace heed::models {
namespace published {
class Published;
}
struct PublishedFiles;  // published_files.h

// Tokens that the vocabularies of Heed's own models must hold: the target begins with the one, both
// sides end with the other.
inline constexpr const char* kBeginToken = "<s>";
inline constexpr const char* kEndToken = "</s>";

struct TrainedEncoderDecoder {
  std::shared_ptr<EncoderDecoder> model;
  std::shared_ptr<const text::Tokenizer> source;
  std::shared_ptr<const text::Tokenizer> target;  // the same object where both share a vocabulary
  DataColumns columns = {};
  std::shared_ptr<published::Published> published = {};  // whose `model` is; null: Heed's own

  // What stands before a target, and what ends it.
  int64_t begin_token_id() const;
  std::vector<int64_t> eos_token_ids() const;

  // What the model reads of a source, and of a target behind its begin token, at most `longest`
  // tokens with those that end them.
  std::vector<int32_t> source_ids(std::string_view text, int64_t longest) const;
  std::vector<int32_t> target_ids(std::string_view text, int64_t longest) const;
};

// Replaces `directory` whole and atomically. Throws IoError or UsageError as io/atomic.h does.
void save(const TrainedEncoderDecoder& trained, const std::filesystem::path& directory);

// Heed's own or a published one (heed/models/published), in evaluation mode. Throws
// MissingInputError where there is no such directory, DataError where a file in it cannot be used;
// the message names the file and the field.
TrainedEncoderDecoder load_encoder_decoder(const std::filesystem::path& directory);

// What a published model is as one of Heed's. Throws DataError where no token begins or ends what
// it writes.
TrainedEncoderDecoder as_encoder_decoder(const PublishedFiles& files);

}  // namespace heed::models
