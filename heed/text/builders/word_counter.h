// How often each piece of some texts occurs: what vocabularies are built from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
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

struct VocabularyLimits {
  int32_t vocab_size;
  int64_t min_frequency;
};

// Throws UsageError unless a builder can use them.
void check_builder_options(const std::vector<std::string>& special_tokens,
                           const std::optional<std::string>& unknown_token,
                           VocabularyLimits limits);

// What a builder of tokenizers keeps; Options names vocab_size, min_frequency, unknown_token,
// special_tokens, normalizers, pre_tokenizers and a decoder.
template <typename Options>
struct BuilderState {
  Options options;
  WordCounter counter;

  // Throws UsageError for options that cannot be used, before anything is counted.
  explicit BuilderState(const Options& given)
      : options((check_builder_options(given.special_tokens, given.unknown_token,
                                       {given.vocab_size, given.min_frequency}),
                 given)),
        counter({.special_tokens = given.special_tokens,
                 .normalizers = given.normalizers,
                 .pre_tokenizers = given.pre_tokenizers}) {}

  // A tokenizer with this model.
  Tokenizer finish(ModelPointer model) const {
    Tokenizer::Parts parts = counter.parts();
    parts.model = std::move(model);
    if (!options.decoder.empty()) parts.decoder = decoder_named(options.decoder);
    return Tokenizer(std::move(parts));
  }
};

}  // namespace heed::text
