// Tokenizers from the files that models were published with before tokenizer.json.
#pragma once

#include <filesystem>

#include "heed/text/tokenizer.h"

namespace heed::text {

// GPT-2's byte-level BPE: encoder.json (or vocab.json), {"token": id, ...}, and vocab.bpe (or
// merges.txt), a pair on each line after "#version". "<|endoftext|>" is a special token.
// Throws MissingInputError, IoError, or DataError, which names the file and the line or field.
Tokenizer load_gpt2(const std::filesystem::path& vocabulary, const std::filesystem::path& merges);

enum class BertCase : uint8_t { kUncased, kCased };

// BERT's WordPiece: vocab.txt, a token on each line. Texts come out as [CLS] text [SEP].
// Throws as load_gpt2.
Tokenizer load_bert(const std::filesystem::path& vocabulary,
                    BertCase letter_case = BertCase::kUncased);

}  // namespace heed::text
