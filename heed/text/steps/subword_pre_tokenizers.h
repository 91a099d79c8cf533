// The pre-tokenizers that subword models are made with; see pre_tokenizers.cpp for the others.
#pragma once

#include "heed/text/pre_tokenizer.h"

namespace heed::text {

// GPT-2's: every byte becomes a printable character, after a split at
// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}
// Offsets are those of the bytes, whatever trim_offsets says: it matters to a post-processor only.
PreTokenizerPointer make_byte_level(const JsonValue& json);

// SentencePiece's: blanks become "▁" and begin a piece.
// {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true}
PreTokenizerPointer make_metaspace(const JsonValue& json);

// Pieces of `length` characters, the last may be shorter: with 1 the pieces are characters.
// {"type": "FixedLength", "length": 5}
PreTokenizerPointer make_fixed_length(const JsonValue& json);

// {"type": "Split", "pattern": {"String": "-"}, "behavior": "Removed", "invert": false}
PreTokenizerPointer make_split(const JsonValue& json);

}  // namespace heed::text
