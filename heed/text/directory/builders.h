// The tokenizers of the classes of transformers, made of the files that they have where there is
// no tokenizer.json.
#pragma once

#include "heed/text/directory/sentencepiece_model.h"
#include "heed/text/directory/settings.h"
#include "heed/text/tokenizer_parts.h"

namespace heed::text {

// vocab.txt.
Tokenizer::Parts build_word_piece(DirectorySettings& settings);

// vocab.json and merges.txt, by the class that the settings name.
Tokenizer::Parts build_byte_level(DirectorySettings& settings);

// Of a SentencePiece model, by the class that the settings name; `file` is its name in messages.
Tokenizer::Parts build_sentencepiece(DirectorySettings& settings, SentencePieceModel model,
                                     const std::string& file);

// source.spm, target.spm and vocab.json.
struct MarianParts {
  Tokenizer::Parts source;
  Tokenizer::Parts target;
};
MarianParts build_marian(DirectorySettings& settings);

// What all of them do last: added tokens with the ids that the vocabulary leaves them.
void add_tokens(const DirectorySettings& settings, Tokenizer::Parts& parts);

// [CLS] A [SEP] B [SEP] with the types 0 and 1.
PostProcessor bert_processor(const TemplatePart& cls, const TemplatePart& sep);

// A part of a tokenizer by its JSON, which is that of tokenizer.json.
NormalizerPointer normalizer_of(Json json);
PreTokenizerPointer pre_tokenizer_of(Json json);
DecoderPointer decoder_of(Json json);

}  // namespace heed::text
