// Builds a word-level tokenizer from texts: the most frequent words get an id each, every other
// word is "[UNK]".
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heed/text/tokenizer.h"

namespace heed::text {

struct WordLevelOptions {
  // How many ids there are at most, special tokens included.
  int32_t vocab_size = 10'000;
  // A word that was seen less often has no id.
  int64_t min_frequency = 1;
  // They get the first ids, in this order. Must hold `unknown_token`.
  std::vector<std::string> special_tokens = {"[PAD]", "[UNK]"};
  std::string unknown_token = "[UNK]";
  // Type names as tokenizer.json spells them, each with its default settings, applied in order:
  // NFC NFD NFKC NFKD Lowercase StripAccents Strip BertNormalizer. One that begins with a brace is
  // a whole JSON object: {"type": "Strip", "strip_left": false}.
  std::vector<std::string> normalizers = {"NFC", "Lowercase"};
  // The same: Whitespace WhitespaceSplit BertPreTokenizer Punctuation Digits.
  std::vector<std::string> pre_tokenizers = {"Whitespace"};
  // How tokens become text again; empty: with a blank between them.
  std::string decoder = {};
};

class WordLevelBuilder {
 public:
  // Throws UsageError for options that cannot be used.
  explicit WordLevelBuilder(const WordLevelOptions& options = {});
  ~WordLevelBuilder();

  // Counts the words of one text (UTF-8, otherwise DataError).
  void add(std::string_view text);

  // The tokenizer of what was counted so far. Words in order of falling frequency; equally
  // frequent ones in order of their UTF-8 bytes.
  Tokenizer build() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The same in one call.
Tokenizer build_word_level(std::span<const std::string> texts,
                           const WordLevelOptions& options = {});

// Options with which every character is a word, blanks and capitals included.
WordLevelOptions character_options();

}  // namespace heed::text
