// A tag for each word of a sentence.
//
//   words (B, N) -> word encoder -> linear (B, N, C) + positions -> encoder (B, N, C)
//                -> linear -> a score for each tag (B, N, K) -> the best sequence of tags
//
// Words as vectors of their parts: Lample et al. 2016. The encoder with relative positions instead
// of an LSTM: Yan et al. 2019 (TENER).
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/models/parts/transformer_options.h"
#include "heed/models/parts/word_encoder.h"
#include "heed/nn/attention/positions.h"
#include "heed/nn/crf/crf.h"
#include "heed/nn/encoder.h"
#include "heed/nn/layers/linear.h"
#include "heed/text/words/entity_tags.h"

namespace heed::models {

struct TokenTaggerOptions {
  std::vector<std::string> types = {};  // of entities, sorted
  std::string tag_scheme = "bioes";     // of the tags that are learnt: text::TagScheme
  WordEncoderOptions words = {};
  TransformerOptions transformer = {};  // max_length: words of a sentence
  // crf: tags are learnt together, as a chain; softmax: each word's by itself. The sequence that is
  // answered follows the rules of the scheme either way.
  std::string output = "crf";
};

std::vector<std::string> tagger_outputs();

// All but the types, which the data decide.
template <nn::OptionsOf<TokenTaggerOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::Field{.name = "tag_scheme",
                  .help = "Scheme that the model answers in; files may have any",
                  .choices = text::tag_scheme_names,
                  .group = "Words and tags"},
        o.tag_scheme);
  visit(nn::Field{.name = "output",
                  .help = "Tags are learnt together as a chain (crf) or each by itself (softmax)",
                  .choices = tagger_outputs,
                  .group = "Words and tags"},
        o.output);
  visit_fields(o.words, visit);
  visit_fields(o.transformer, visit);
}

// Throws UsageError naming the field that cannot be used.
void check(const TokenTaggerOptions& options);

class TokenTagger : public torch::nn::Module {
 public:
  explicit TokenTagger(const TokenTaggerOptions& options);

  // Scores (B, N, K) of the tags; those of words behind a sentence mean nothing.
  virtual at::Tensor forward(const WordBatch& batch, nn::AttentionTrace* trace = nullptr) const;

  struct LossOptions {
    // The scores of "O" are raised by it where an entity stands, so that entities must be more
    // certain than by themselves: a loss that asks for recall.        Gimpel & Smith 2010, eq. 6
    double margin = 0;
    // (B, N) float32, 0 behind a sentence: how much each word counts. A chain, which is learnt as a
    // whole, counts as much as its words do on average. Undefined: all count 1.
    at::Tensor weights = {};
  };

  // −log p(tags) of each sentence, nats, (B). targets (B, N) int64, rows of tags().
  at::Tensor loss(const at::Tensor& scores, const at::Tensor& lengths, const at::Tensor& targets,
                  const LossOptions& options) const;
  at::Tensor loss(const at::Tensor& scores, const at::Tensor& lengths,
                  const at::Tensor& targets) const {
    return loss(scores, lengths, targets, {});
  }

  // The most probable tags that the scheme allows: rows of tags(), a sentence each.
  std::vector<std::vector<int64_t>> best(const at::Tensor& scores, const at::Tensor& lengths) const;

  // p(tag) of each word, (B, N, K) float64.
  at::Tensor probabilities(const at::Tensor& scores, const at::Tensor& lengths) const;

  const TokenTaggerOptions& options() const { return options_; }
  const std::vector<std::string>& tags() const { return tags_; }  // K, "O" first

 protected:
  // Of a network that another class makes.
  struct OwnNetwork {};
  TokenTagger(const TokenTaggerOptions& options, OwnNetwork);

 private:
  at::Tensor emissions(const at::Tensor& scores) const;

  TokenTaggerOptions options_;
  std::vector<std::string> tags_;
  std::shared_ptr<WordEncoder> words_;
  std::shared_ptr<nn::Linear> input_;
  std::shared_ptr<nn::PositionTable> positions_;  // null: none are added
  std::shared_ptr<nn::Encoder> encoder_;
  std::shared_ptr<nn::Linear> output_;
  // Learnt with the output "crf"; otherwise it stays at 0 and is no part of the model: only its
  // rules count.
  std::shared_ptr<nn::Crf> crf_;
};

}  // namespace heed::models
