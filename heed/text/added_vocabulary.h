// Tokens that are found in a text before normaliser, pre-tokenizer and model look at it.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heed/text/normalizer.h"
#include "heed/text/pre_tokenizer.h"
#include "heed/text/tokenizer.h"

namespace heed::text {

class AddedVocabulary {
 public:
  // `tokens` in the order of their ids. `normalizer` may be null: it decides how tokens that are
  // looked for in the normalised text are spelt there.
  AddedVocabulary(std::vector<AddedToken> tokens, const Normalizer* normalizer);

  std::span<const AddedToken> tokens() const { return tokens_; }

  // null if `id` is none of them.
  const AddedToken* find(int32_t id) const;

  // How decoders see one of them: the way it is spelt in the text that the model sees.
  const std::string& spelling(const AddedToken& token) const;

  // Splits `range` of `text` into added tokens and what lies between them (kNoId), covering it.
  // With Specials::kAsText only ordinary tokens are looked for.
  enum class In : uint8_t { kOriginal, kNormalized };
  void split(std::string_view text, Span range, In in, Specials specials,
             std::vector<Piece>& pieces) const;

 private:
  // The spellings that are looked for in one kind of text; of those that start at the same place
  // the longest wins.
  struct Spelling {
    std::string text;
    size_t token;  // index into tokens_
    bool special;
  };
  struct Matcher {
    std::vector<Spelling> spellings;             // by first byte, the longest first
    std::array<uint32_t, 257> starts_with = {};  // where those with a first byte begin

    const Spelling* longest_at(std::string_view text, size_t at, Specials specials) const;
  };
  void prepare(Matcher& matcher, std::vector<Spelling> spellings);

  std::vector<AddedToken> tokens_;
  std::vector<std::string> spellings_;  // of each of them
  std::array<Matcher, 2> matchers_;     // by In
};

}  // namespace heed::text
