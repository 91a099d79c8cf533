// A reader that answers questions, by class or by a span of what it reads.
//
//   words of each unit -> embedding -> unit vectors (B, U, C) + segment + positions
//                      -> `hops` times the same stack of layers (B, U, C)
//   class: mean over the units of the question (B, C) -> linear -> logits (B, classes)
//   span:  linear -> scores of being the first and the last unit (B, 2, U)
//
// A unit is a sentence, as in memory networks (Sukhbaatar et al. 2015), or a word. The question
// comes first and a story behind it from its last sentence to its first, so that position n is the
// n-th sentence before the question. One stack for all hops: Dehghani et al. 2019, section 2.1.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/parts/transformer_options.h"
#include "heed/nn/attention/positions.h"
#include "heed/nn/encoder.h"
#include "heed/nn/layers/embedding.h"
#include "heed/nn/layers/linear.h"

namespace heed::models {

struct QuestionAnswererOptions {
  int64_t vocab_size = 0;           // V
  std::string answers = "class";    // or "span", whose units are words
  int64_t classes = 0;              // of "class"
  std::string units = "sentences";  // or "words"
  int64_t max_unit_length = 64;     // words of a sentence; what is beyond is cut
  int64_t num_hops = 1;
  TransformerOptions transformer = {};  // max_length: units
  int64_t pad_token_id = -1;            // −1: none
  double embedding_std = 0.1;
};

std::vector<std::string> answer_kinds();
std::vector<std::string> unit_kinds();

// All but the classes, which have names.
template <nn::OptionsOf<QuestionAnswererOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  using nn::Field;
  visit(Field{.name = "answers", .choices = answer_kinds}, o.answers);
  visit(nn::size_field("vocab_size"), o.vocab_size);
  visit(Field{.name = "pad_token_id", .least = -1, .most = nn::kLargestSize}, o.pad_token_id);
  visit(Field{.name = "units",
              .help = "What a story is read as; a text with a span as answer is read as words",
              .choices = unit_kinds},
        o.units);
  visit(nn::size_field("max_unit_length", "Words of a sentence; what is beyond is cut"),
        o.max_unit_length);
  visit(nn::layers_field("num_hops",
                         "How often the layers are gone through, with one set of weights"),
        o.num_hops);
  visit(nn::std_field(), o.embedding_std);
  visit_fields(o.transformer, visit);
}

// Throws UsageError naming the field that cannot be used.
void check(const QuestionAnswererOptions& options);

// Units of several inputs, padded to the most of them and to the longest.
struct QuestionBatch {
  at::Tensor ids;         // (B, U, W) int64; W = 1 where units are words
  at::Tensor words = {};  // (B, U) int64, real words of each unit; 0: an empty one
  at::Tensor units;       // (B) int64, real units of each input
  at::Tensor question;    // (B) int64, how many of them, the first, are the question: at least 1

  QuestionBatch to(at::Device device) const;
};

// (B, U, W, C) words, (B, U) counts -> (B, U, C): Σ_j l_j ∘ e_j over the words j = 1 .. J of a unit
// with l_kj = (1 − j / J) − (k / C) · (1 − 2j / J), k = 1 .. C; an empty unit gives zeros.
//                                                       Sukhbaatar et al. 2015, section 4.1 "PE"
at::Tensor sentence_vectors(const at::Tensor& words, const at::Tensor& counts);

class QuestionAnswerer : public torch::nn::Module {
 public:
  explicit QuestionAnswerer(const QuestionAnswererOptions& options);

  // class: logits (B, classes). span: scores (B, 2, U), of the first and of the last unit of the
  // answer, kNowhere where there can be none: in the padding and in the question but for its first
  // unit, which stands for "no answer". What stands in the padding has no influence. The trace has
  // the layers of each hop one after the other.
  virtual at::Tensor forward(const QuestionBatch& batch, nn::AttentionTrace* trace = nullptr) const;

  static constexpr double kNowhere = -1e9;

  const QuestionAnswererOptions& options() const { return options_; }

 protected:
  // Of a network that another class makes.
  struct OwnNetwork {};
  QuestionAnswerer(const QuestionAnswererOptions& options, OwnNetwork) : options_(options) {}

  // Scores (B, 2, U) with kNowhere where there can be no answer.
  static at::Tensor possible_spans(const at::Tensor& scores, const QuestionBatch& batch);

 private:
  at::Tensor input(const QuestionBatch& batch) const;  // (B, U, C)

  QuestionAnswererOptions options_;
  std::shared_ptr<nn::Embedding> embedding_;
  std::shared_ptr<nn::PositionTable> positions_;  // null: none are added
  nn::Norm norm_;                                 // of a small embedding
  at::Tensor segments_;                           // (2, C): of the question, of the rest
  std::shared_ptr<nn::Encoder> encoder_;
  std::shared_ptr<nn::Linear> head_;  // C -> classes or 2
};

}  // namespace heed::models
