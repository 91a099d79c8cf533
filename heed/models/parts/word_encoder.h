// Words as vectors, made of what they consist of: subwords, characters, looks.
//
//   subwords   (W, S) -> embedding, mean                                      (W, C_subword)
//   characters (W, L) -> embedding -> encoder over the characters, largest    (W, C_character)
//   shapes     (W, 3) -> embedding, side by side                              (W, 3 · C_shape)
//   side by side -> (W, width_of(options))
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>

#include "heed/models/parts/word_batch.h"
#include "heed/nn/embedding.h"
#include "heed/nn/encoder.h"
#include "heed/nn/fields.h"

namespace heed::models {

// A part of width 0 is left out.
struct WordEncoderOptions {
  int64_t subword_vocabulary = 0;
  int64_t subword_padding = 0;
  int64_t subword_width = 64;
  int64_t character_vocabulary = 0;
  int64_t character_padding = 0;
  int64_t character_width = 48;
  int64_t character_heads = 4;
  int64_t character_layers = 1;
  int64_t longest_word = 24;         // characters
  int64_t shape_width = 16;          // of each feature
  std::string score = "scaled_dot";  // of the attention between characters
  double character_dropout = 0.1;    // in their encoder
};

template <nn::OptionsOf<WordEncoderOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  using nn::Field;
  const auto may_be_0 = [](const char* name, const char* json) {
    return Field{.name = name, .json = json, .most = nn::kLargestSize};
  };
  visit(may_be_0("subword_vocabulary", "vocab_size"), o.subword_vocabulary);
  visit(may_be_0("subword_padding", "pad_token_id"), o.subword_padding);
  visit(may_be_0("subword_width", "subword_size"), o.subword_width);
  visit(may_be_0("character_vocabulary", "character_vocab_size"), o.character_vocabulary);
  visit(may_be_0("character_padding", "character_pad_token_id"), o.character_padding);
  visit(may_be_0("character_width", "character_size"), o.character_width);
  visit(nn::size_field("character_heads", "character_attention_heads"), o.character_heads);
  visit(Field{.name = "character_layers",
              .json = "character_hidden_layers",
              .least = 1,
              .most = nn::kMostLayers},
        o.character_layers);
  visit(Field{.name = "longest_word", .json = "max_word_characters", .least = 2, .most = 1 << 16},
        o.longest_word);
  visit(may_be_0("shape_width", "shape_size"), o.shape_width);
  visit(Field{.name = "score", .json = "character_score"}, o.score);
  visit(nn::share_field("character_dropout", "character_dropout_prob"), o.character_dropout);
}

// Throws UsageError naming the field that cannot be used.
void check(const WordEncoderOptions& options);

// Of the vector of a word.
int64_t width_of(const WordEncoderOptions& options);

// The characters of words, each seen by all others of its word; the largest value of each feature.
// Positions are relative, so that an ending is one wherever it stands.
class CharacterEncoder : public torch::nn::Module {
 public:
  explicit CharacterEncoder(const WordEncoderOptions& options);

  // W words of L characters, each of at least one -> (W, character_width).
  at::Tensor forward(const TextBatch& words) const;

 private:
  at::Tensor encode(const at::Tensor& ids, const at::Tensor& lengths) const;

  std::shared_ptr<nn::Embedding> embedding_;
  std::shared_ptr<nn::Encoder> encoder_;
};

class WordEncoder : public torch::nn::Module {
 public:
  explicit WordEncoder(const WordEncoderOptions& options);

  // (W, width_of(options)).
  at::Tensor forward(const WordBatch& batch) const;

 private:
  WordEncoderOptions options_;
  std::shared_ptr<nn::Embedding> subwords_;
  std::shared_ptr<CharacterEncoder> characters_;
  std::shared_ptr<nn::Embedding> shapes_;
};

}  // namespace heed::models
