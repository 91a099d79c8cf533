// The normalisers of subword tokenizers; listed in normalizers.cpp.
#pragma once

#include <string>

#include "heed/io/json.h"
#include "heed/text/normalizer.h"

namespace heed::text {

NormalizerPointer make_precompiled(const JsonValue& json);
NormalizerPointer make_prepend(const JsonValue& json);
NormalizerPointer make_nmt(const JsonValue& json);
NormalizerPointer make_byte_level_normalizer(const JsonValue& json);
NormalizerPointer make_sentence_piece_normalizer(const JsonValue& json);

// Precompiled, from the bytes of the table. UsageError: they are none (see Charsmap).
NormalizerPointer precompiled_normalizer(std::string charsmap);

// What SentencePiece itself does to a text: the table (its longest match), blanks, and "▁" for a
// blank. tokenizer.json has no name for it: "SentencePiece" is read by Heed alone.
struct SentencePieceNormalization {
  bool add_dummy_prefix = true;          // a blank before the text
  bool remove_extra_whitespaces = true;  // at the ends, and all but one in between
  bool escape_whitespaces = true;        // "▁" for every blank
};
NormalizerPointer sentence_piece_normalizer(std::string charsmap,
                                            SentencePieceNormalization settings);

}  // namespace heed::text
