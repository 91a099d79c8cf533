// Learns subword vocabularies from texts: byte-pair encoding, and WordPiece by the same merges.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heed/text/tokenizer.h"

namespace heed::text {

struct BpeOptions {
  // How many ids there are at most: special tokens, characters, and merges.
  int32_t vocab_size = 10'000;
  // A pair that was seen less often is not merged.
  int64_t min_frequency = 2;
  // They get the first ids, in this order.
  std::vector<std::string> special_tokens = {"[PAD]", "[UNK]"};
  // One of the special tokens; none: what cannot be spelt is dropped (or cannot happen, with
  // Alphabet::kBytes).
  std::optional<std::string> unknown_token = "[UNK]";
  enum class Alphabet : uint8_t {
    kSeen,   // the characters of the texts
    kBytes,  // these, and the characters of all bytes: with pre-tokenizer ByteLevel
  } alphabet = Alphabet::kSeen;
  std::string continuing_subword_prefix = {};  // before every character of a word but the first
  std::string end_of_word_suffix = {};         // after the last one
  // Which of equally frequent pairs is merged first.
  enum class Ties : uint8_t {
    kOlder,     // the one whose tokens have the smaller ids, as the `tokenizers` package does
    kSpelling,  // the one whose spelling comes last, as subword-nmt does
  } ties = Ties::kOlder;
  // As in WordLevelOptions.
  std::vector<std::string> normalizers = {};
  std::vector<std::string> pre_tokenizers = {"Whitespace"};
  std::string decoder = {};
  // Called now and then while merges are learnt, with the ids there are and the ids wanted.
  std::function<void(int64_t done, int64_t total)> progress = {};
};

// GPT-2's kind: every text can be spelt, and decoding gives back its bytes.
BpeOptions byte_level_options();

// subword-nmt's kind: words between blanks, "</w>" at the end of each.
BpeOptions subword_nmt_options();

// BERT's kind, for BpeBuilder::build_word_piece.
BpeOptions word_piece_options();

class BpeBuilder {
 public:
  // Throws UsageError for options that cannot be used.
  explicit BpeBuilder(const BpeOptions& options = {});
  ~BpeBuilder();

  // Counts the words of one text (UTF-8, otherwise DataError).
  void add(std::string_view text);

  // Learns merges from what was counted so far. The same texts in another order give the same
  // tokenizer.
  Tokenizer build() const;

  // The same, but the vocabulary is used by WordPiece's longest-match rule. UsageError without an
  // unknown token and a continuing_subword_prefix.
  Tokenizer build_word_piece() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace heed::text
