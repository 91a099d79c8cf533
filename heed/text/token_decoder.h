// Decoders: how the tokens of a text become text again. One class of tokenizer.json each; the list
// of them stands at the end of decoders.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/io/json.h"

namespace heed::text {

class TokenDecoder {
 public:
  virtual ~TokenDecoder() = default;

  // The tokens that the next decoder sees; those of the last one make the text, without blanks
  // between them. DataError: they would have more than `most_bytes` together.
  virtual std::vector<std::string> apply(std::vector<std::string> tokens,
                                         uint64_t most_bytes) const = 0;

  // As it stands in tokenizer.json: {"type": "Fuse"}.
  virtual OrderedJson to_json() const = 0;
};

using DecoderPointer = std::shared_ptr<const TokenDecoder>;

// DataError: an unknown type (the message lists the known ones) or setting.
DecoderPointer read_decoder(const JsonValue& json);

// The type of this name with its default settings. UsageError: there is none.
DecoderPointer decoder_named(std::string_view type);

}  // namespace heed::text
