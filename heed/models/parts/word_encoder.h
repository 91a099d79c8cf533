// Words as vectors, made of what they consist of: subwords, characters, looks.
//
//   subwords   (W, S) -> embedding, mean                                      (W, C_subword)
//   characters (W, L) -> embedding -> encoder over the characters, largest    (W, C_character)
//   shapes     (W, 3) -> embedding, side by side                              (W, 3 · C_shape)
//   side by side -> (W, word_dim(options))
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>

#include "heed/models/parts/word_batch.h"
#include "heed/nn/attention/attention_settings.h"
#include "heed/nn/encoder.h"
#include "heed/nn/fields.h"
#include "heed/nn/layers/embedding.h"

namespace heed::models {

// A part of size 0 is left out.
struct WordEncoderOptions {
  int64_t subword_vocab_size = 0;
  int64_t subword_pad_token_id = 0;
  int64_t subword_dim = 64;
  int64_t character_vocab_size = 0;
  int64_t character_pad_token_id = 0;
  int64_t character_dim = 48;
  int64_t num_character_heads = 4;
  int64_t num_character_layers = 1;
  int64_t max_word_length = 24;                // characters
  int64_t shape_dim = 16;                      // of each feature
  std::string character_score = "scaled_dot";  // of the attention between characters
  double character_dropout = 0.1;              // in their encoder
};

template <nn::OptionsOf<WordEncoderOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  using nn::Field;
  const auto of_words = [](Field field) {
    field.group = "Words and tags";
    return field;
  };
  const auto may_be_0 = [](const char* name, const char* help = "") {
    return Field{.name = name, .help = help, .most = nn::kLargestSize, .group = "Words and tags"};
  };
  visit(may_be_0("subword_vocab_size"), o.subword_vocab_size);
  visit(may_be_0("subword_pad_token_id"), o.subword_pad_token_id);
  visit(may_be_0("subword_dim", "Size of a subword's vector; 0: none"), o.subword_dim);
  visit(may_be_0("character_vocab_size"), o.character_vocab_size);
  visit(may_be_0("character_pad_token_id"), o.character_pad_token_id);
  visit(may_be_0("character_dim", "Size of a character's vector; 0: none"), o.character_dim);
  visit(of_words(nn::size_field("num_character_heads",
                                "Attention heads between the characters of a word")),
        o.num_character_heads);
  visit(of_words(nn::layers_field("num_character_layers", "Layers over the characters")),
        o.num_character_layers);
  visit(Field{.name = "max_word_length",
              .help = "Characters of a word; of a longer one, its two ends",
              .least = 2,
              .most = 1 << 16,
              .group = "Words and tags"},
        o.max_word_length);
  visit(may_be_0("shape_dim", "Size of the vector of each feature of a word's shape; 0: none"),
        o.shape_dim);
  visit(Field{.name = "character_score", .choices = nn::score_names}, o.character_score);
  visit(of_words(nn::share_field("character_dropout",
                                 "Share of values dropped in the layers over the characters")),
        o.character_dropout);
}

// Throws UsageError naming the field that cannot be used.
void check(const WordEncoderOptions& options);

// Of the vector of a word.
int64_t word_dim(const WordEncoderOptions& options);

// The characters of words, each seen by all others of its word; the largest value of each feature.
// Positions are relative, so that an ending is one wherever it stands.
class CharacterEncoder : public torch::nn::Module {
 public:
  explicit CharacterEncoder(const WordEncoderOptions& options);

  // W words of L characters, each of at least one -> (W, character_dim).
  at::Tensor forward(const TextBatch& words) const;

 private:
  at::Tensor encode(const at::Tensor& ids, const at::Tensor& lengths) const;

  std::shared_ptr<nn::Embedding> embedding_;
  std::shared_ptr<nn::Encoder> encoder_;
};

class WordEncoder : public torch::nn::Module {
 public:
  explicit WordEncoder(const WordEncoderOptions& options);

  // (W, word_dim(options)).
  at::Tensor forward(const WordBatch& batch) const;

 private:
  WordEncoderOptions options_;
  std::shared_ptr<nn::Embedding> subwords_;
  std::shared_ptr<CharacterEncoder> characters_;
  std::shared_ptr<nn::Embedding> shapes_;
};

}  // namespace heed::models
