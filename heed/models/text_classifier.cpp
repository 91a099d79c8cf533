#include "heed/models/text_classifier.h"

#include <ATen/ATen.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/models/transformer_options.h"
#include "heed/nn/initialise.h"
#include "heed/ops/dropout.h"

namespace heed::models {
namespace {

// (B, N, C) -> (B, C), over the first lengths[b] rows of each b. A text without tokens gives zeros.
at::Tensor mean_over_tokens(const at::Tensor& states, const at::Tensor& lengths) {
  const at::Tensor real =
      at::arange(states.size(1), lengths.options()).unsqueeze(0) < lengths.unsqueeze(1);
  const at::Tensor kept = states.masked_fill(real.logical_not().unsqueeze(-1), 0);
  return kept.sum(1) / lengths.clamp_min(1).unsqueeze(1).to(states.scalar_type());
}

TokenInputOptions input_options(const TextClassifierOptions& o) {
  const bool small =
      nn::initialisation_from(o.initialisation) == nn::Initialisation::kSmallEmbedding;
  // √C as in Vaswani et al. 2017, section 3.4: word and position then have the same size.
  const double root = std::sqrt(static_cast<double>(o.width));
  return {.vocabulary = o.vocabulary,
          .width = o.width,
          .longest = o.longest,
          .padding_id = o.padding_id,
          .positions = o.attention.positions,
          .deviation = o.embedding_deviation,
          .scale = small ? 1 : root,
          .dropout = o.embedding_dropout,
          .small_embedding = small};
}

// What it shares with the other transformers.
TransformerOptions encoder_options(const TextClassifierOptions& o) {
  return {.width = o.width,
          .heads = o.heads,
          .layers = o.layers,
          .hidden = o.hidden,
          .longest = o.longest,
          .attention = o.attention,
          .activation = o.activation,
          .norm = o.norm_kind,
          .norm_place = o.norm,
          .initialisation = o.initialisation,
          .dropout = o.dropout,
          .attention_dropout = o.attention_dropout,
          .embedding_dropout = o.embedding_dropout};
}

}  // namespace

void check(const TextClassifierOptions& o) {
  check_usage(o.vocabulary > 0, "vocabulary: expected at least 1, got ", o.vocabulary);
  check_usage(o.classes > 1, "classes: expected at least 2, got ", o.classes);
  check_usage(o.padding_id >= 0 && o.padding_id < o.vocabulary,
              "padding_id: expected an id below the vocabulary size ", o.vocabulary, ", got ",
              o.padding_id);
  check(encoder_options(o));
}

TextClassifier::TextClassifier(const TextClassifierOptions& options) : options_(options) {
  check(options);
  const TokenInputOptions input = input_options(options);
  embedding_ = register_module("embedding", make_embedding(input));
  input_ = register_module("input", std::make_shared<TokenInput>(input, embedding_));
  encoder_ = register_module(
      "encoder",
      std::make_shared<nn::Encoder>(options.layers, layer_options(encoder_options(options))));
  classifier_ = register_module("classifier", std::make_shared<nn::Linear>(nn::LinearOptions{
                                                  .in = options.width, .out = options.classes}));
  nn::initialise_linear_layers(*this, nn::initialisation_from(options.initialisation));
}

at::Tensor TextClassifier::forward(const TextBatch& batch, nn::AttentionTrace* trace) const {
  at::Tensor x = input_->forward(batch.ids);
  x = encoder_->forward(x, Pattern::padded({.key = batch.lengths, .query = batch.lengths}), trace);
  x = mean_over_tokens(x, batch.lengths);
  x = heed::dropout(x, {.probability = is_training() ? options_.dropout : 0});
  return classifier_->forward(x);
}

}  // namespace heed::models
