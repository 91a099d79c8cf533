// Pre-tokenizers: how a normalised text is split into the pieces that the model sees one by one.
// One class of tokenizer.json each; the list of them stands at the end of pre_tokenizers.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "heed/io/json.h"
#include "heed/text/characters/aligned_text.h"

namespace heed::text {

inline constexpr int32_t kNoId = -1;

// A part of a text: for the model, or already known to be one added token.
struct Piece {
  Span range;
  int32_t id = kNoId;
};

struct SplitText {
  AlignedText text;
  std::vector<Piece> pieces;  // in order, none of them empty; what lies between them is dropped
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;

  // Splits every piece that has no id.
  virtual void apply(SplitText& split) const = 0;

  // As it stands in tokenizer.json: {"type": "Whitespace"}.
  virtual OrderedJson to_json() const = 0;
};

using PreTokenizerPointer = std::shared_ptr<const PreTokenizer>;

// Settings that are absent have the defaults of the `tokenizers` package. DataError: an unknown
// type (the message lists the known ones) or setting.
PreTokenizerPointer read_pre_tokenizer(const JsonValue& json);

// The type of this name with its default settings. UsageError: there is none.
PreTokenizerPointer pre_tokenizer_named(std::string_view type);

// One after the other; null for none.
PreTokenizerPointer pre_tokenizer_sequence(std::vector<PreTokenizerPointer> parts);

}  // namespace heed::text
