// Tokenizers by what an option says: one that is to be learnt, such as "bpe:8000", or a file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "heed/text/tokenizer.h"

namespace heed::tasks {

struct VocabularySizeRule {
  std::string_view prefix;  // "bpe:"
  int32_t least;
  std::string expected;  // what the least is, for the error: "at least 257 (all bytes)"
  std::string_view field = "tokenizer";  // that names it
};

// `kind` begins with the prefix. Throws UsageError where no number of at least `least` follows.
int32_t vocabulary_size(std::string_view kind, const VocabularySizeRule& rule);

struct TokenizerFileRule {
  std::string_view learnt;  // what else there may be, for the error: "characters, bpe:N"
  std::string_view field = "tokenizer";
};

// The tokenizer.json of that name. Throws UsageError where it is no file and not written as one,
// MissingInputError for a file that is not there, and what Tokenizer::load throws.
text::Tokenizer tokenizer_file(const std::string& name, const TokenizerFileRule& rule);

}  // namespace heed::tasks
