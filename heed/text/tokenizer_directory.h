// The tokenizer of a model's directory, as Hugging Face's tools write it, whichever of their files
// it stands in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "heed/text/tokenizer.h"

namespace heed::text {

// The special tokens that tokenizer_config.json or special_tokens_map.json name, or that tokenizers
// of this class have where neither does; none where there is no such token.
struct SpecialIds {
  std::optional<int32_t> bos, eos, unk, sep, pad, cls, mask;
};

struct LoadedTokenizer {
  // Cut to max_length where there is one; with_max_length changes it.
  Tokenizer tokenizer;

  // For the texts that the model writes, where they have a tokenizer of their own: Marian's
  // target.spm, with the ids of the same vocabulary or of target_vocab.json. It encodes and
  // decodes.
  std::optional<Tokenizer> target = {};

  SpecialIds special = {};

  // "max_seq_length" of sentence_bert_config.json, otherwise "model_max_length" of
  // tokenizer_config.json, otherwise what tokenizer.json truncates to. None: not set (which
  // tokenizer_config.json writes as 1e30); the model's table of positions decides then.
  std::optional<int32_t> max_length = {};

  // "padding_side" of tokenizer_config.json.
  enum class Side : uint8_t { kRight, kLeft } padding_side = Side::kRight;

  // What it was read from, for those who copy a directory.
  std::vector<std::filesystem::path> files = {};
};

// Reads, whichever is there first:
//
//   tokenizer.json                          any tokenizer (heed/text/tokenizer.h)
//   source.spm, target.spm, vocab.json      Marian
//   tokenizer.model, spiece.model,          SentencePiece, as the tokenizer class has it: Llama,
//   sentencepiece.bpe.model                 Gemma, T5, ALBERT, XLM-RoBERTa, CamemBERT; of another
//                                           class, as SentencePiece itself
//   vocab.json, merges.txt                  byte-level BPE: GPT-2, RoBERTa, BART, GPT-NeoX, Qwen 2,
//                                           Whisper
//   vocab.txt                               BERT's WordPiece
//
// The class is "tokenizer_class" of tokenizer_config.json, otherwise that of the "model_type" of
// config.json; with neither, GPT-2's or BERT's by the files. What tokenizer_config.json says of
// cases, accents, blanks and special tokens, and added_tokens.json, is honoured, and ids are those
// of transformers 5.24. Chat templates are not read.
//
// MissingInputError: no such directory, or none of these files in it. DataError names the file and
// the field. IoError.
LoadedTokenizer load_tokenizer(const std::filesystem::path& directory);

}  // namespace heed::text
