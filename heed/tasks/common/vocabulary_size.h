// The size in the name of a tokenizer that is to be learnt: 8000 in "bpe:8000".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace heed::tasks {

struct VocabularySizeRule {
  std::string_view prefix;  // "bpe:"
  int32_t least;
  std::string expected;  // what the least is, for the error: "at least 257 (all bytes)"
};

// `kind` begins with the prefix. Throws UsageError where no number of at least `least` follows.
int32_t vocabulary_size(std::string_view kind, const VocabularySizeRule& rule);

}  // namespace heed::tasks
