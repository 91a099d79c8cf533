#include "heed/models/text_classifier.h"

#include <ATen/ATen.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/nn/initialise.h"

namespace heed::models {
namespace {

// (B, N, C) -> (B, C), over the first lengths[b] rows of each b. A text without tokens gives zeros.
at::Tensor mean_over_tokens(const at::Tensor& states, const at::Tensor& lengths) {
  const at::Tensor real =
      at::arange(states.size(1), lengths.options()).unsqueeze(0) < lengths.unsqueeze(1);
  const at::Tensor kept = states.masked_fill(real.logical_not().unsqueeze(-1), 0);
  return kept.sum(1) / lengths.clamp_min(1).unsqueeze(1).to(states.scalar_type());
}

}  // namespace

void check(const TextClassifierOptions& o) {
  check_usage(o.vocabulary > 0, "vocabulary: expected at least 1, got ", o.vocabulary);
  check_usage(o.classes > 1, "classes: expected at least 2, got ", o.classes);
  check_usage(o.width > 0 && o.heads > 0 && o.width % o.heads == 0,
              "heads: expected a divisor of the width ", o.width, ", got ", o.heads);
  check_usage(o.layers > 0, "layers: expected at least 1, got ", o.layers);
  check_usage(o.hidden > 0, "hidden: expected at least 1, got ", o.hidden);
  check_usage(o.longest > 0, "longest: expected at least 1, got ", o.longest);
  check_usage(o.padding_id >= 0 && o.padding_id < o.vocabulary,
              "padding_id: expected an id below the vocabulary size ", o.vocabulary, ", got ",
              o.padding_id);
  const auto share = [](const char* name, double value) {
    check_usage(value >= 0 && value < 1, name, ": expected a share from 0 up to but not including ",
                "1, got ", value);
  };
  share("dropout", o.dropout);
  share("attention_dropout", o.attention_dropout);
  share("embedding_dropout", o.embedding_dropout);
  nn::norm_place_from(o.norm);
  nn::activation_from(o.activation);
  nn::initialisation_from(o.initialisation);
}

TextClassifier::TextClassifier(const TextClassifierOptions& options) : options_(options) {
  check(options);
  embedding_ = register_module("embedding", std::make_shared<nn::Embedding>(nn::EmbeddingOptions{
                                                .count = options.vocabulary,
                                                .width = options.width,
                                                .padding_id = options.padding_id,
                                                .deviation = options.embedding_deviation,
                                            }));
  positions_ =
      register_module("positions", std::make_shared<nn::SinusoidalPositions>(nn::PositionsOptions{
                                       .longest = options.longest, .width = options.width}));
  encoder_ = register_module(
      "encoder", std::make_shared<nn::Encoder>(
                     options.layers, nn::EncoderLayerOptions{
                                         .width = options.width,
                                         .heads = options.heads,
                                         .hidden = options.hidden,
                                         .norm = nn::norm_place_from(options.norm),
                                         .activation = nn::activation_from(options.activation),
                                         .dropout = options.dropout,
                                         .attention_dropout = options.attention_dropout,
                                     }));
  classifier_ = register_module("classifier", std::make_shared<nn::Linear>(nn::LinearOptions{
                                                  .in = options.width, .out = options.classes}));
  const auto chosen = nn::initialisation_from(options.initialisation);
  for (auto& item : named_parameters()) {
    const bool is_embedding = item.key().rfind("embedding.", 0) == 0;
    if (item.value().dim() == 2 && !is_embedding) nn::initialise(item.value(), chosen);
  }
}

at::Tensor TextClassifier::forward(const TextBatch& batch, nn::AttentionTrace* trace) const {
  // √C as in Vaswani et al. 2017, section 3.4: word and position then have the same size.
  const at::Tensor words =
      embedding_->forward(batch.ids) * std::sqrt(static_cast<double>(options_.width));
  at::Tensor x = at::dropout(positions_->forward(words), options_.embedding_dropout, is_training());
  x = encoder_->forward(x, Pattern::padded({.key = batch.lengths, .query = batch.lengths}), trace);
  x = mean_over_tokens(x, batch.lengths);
  return classifier_->forward(at::dropout(x, options_.dropout, is_training()));
}

}  // namespace heed::models
