// How often each piece of some texts occurs: what vocabularies are built from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "heed/text/tokenizer_parts.h"

namespace heed::text {

// How texts are cut into pieces, before a vocabulary is there.
struct Preparation {
  // They get the first ids, in this order, and are not counted.
  std::vector<std::string> special_tokens;
  // As tokenizer.json spells them: a type name, or a whole JSON object for other settings than the
  // default ones.
  std::vector<std::string> normalizers;
  std::vector<std::string> pre_tokenizers;
};

class WordCounter {
 public:
  // UsageError: an unknown type, an empty special token or one that stands there twice.
  explicit WordCounter(const Preparation& preparation);

  // Counts the pieces of one text (UTF-8, otherwise DataError).
  void add(std::string_view text);

  struct Word {
    std::string_view text;
    int64_t count;
  };

  // In the order of their bytes; valid while this lives and nothing is added.
  std::vector<Word> words() const;

  // A tokenizer with this preparation, still without its model.
  Tokenizer::Parts parts() const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  Tokenizer::Parts parts_;
  std::unordered_map<std::string, int64_t, Hash, std::equal_to<>> counts_;
};

}  // namespace heed::text
