// Small tokenizers of words for the tests of taggers.
#pragma once

#include <memory>
#include <string>

#include "heed/models/files/token_tagger_files.h"
#include "heed/text/builders/bpe_builder.h"
#include "heed/text/builders/word_level_builder.h"

namespace heed::models {

inline std::shared_ptr<const text::Tokenizer> small_subwords() {
  text::BpeBuilder builder({.vocab_size = 60,
                            .min_frequency = 1,
                            .normalizers = {"Lowercase"},
                            .pre_tokenizers = {"WhitespaceSplit"}});
  builder.add("tim cook visits paris and the sea the the sea");
  return std::make_shared<const text::Tokenizer>(builder.build());
}

inline std::shared_ptr<const text::Tokenizer> small_characters() {
  text::WordLevelBuilder builder(text::character_options());
  builder.add("abcdefghijklmnopqrstuvwxyzTCP");
  return std::make_shared<const text::Tokenizer>(builder.build());
}

inline WordReader small_reader() {
  return WordReader(small_subwords(), small_characters(), {.subwords = 3, .characters = 6});
}

// Of the tokenizers above.
inline WordEncoderOptions small_words() {
  return {.subword_vocab_size = small_subwords()->size(),
          .subword_pad_token_id = small_subwords()->padding_id().value(),
          .subword_dim = 8,
          .character_vocab_size = small_characters()->size(),
          .character_pad_token_id = small_characters()->padding_id().value(),
          .character_dim = 8,
          .num_character_heads = 2,
          .max_word_length = 6,
          .shape_dim = 4,
          .character_dropout = 0};
}

}  // namespace heed::models
