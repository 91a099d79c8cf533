// What language models and encoder-decoders have in common, as text and numbers.
#pragma once

#include <cstdint>
#include <string>

#include "heed/nn/attention/attention_settings.h"
#include "heed/nn/fields.h"
#include "heed/nn/layer_options.h"

namespace heed::models {

struct TransformerOptions {
  int64_t width = 256;    // C
  int64_t heads = 4;      // H
  int64_t layers = 4;     // of each stack
  int64_t hidden = 1024;  // of the feed-forward parts
  int64_t longest = 512;  // tokens, for positions that are a table
  nn::AttentionSettings attention = {};
  std::string activation = "gelu";  // nn::feed_forward_kind_from
  std::string norm = "layer";       // or "rms"
  std::string norm_place = "pre";   // or "post"
  std::string initialisation = "residual_normal";
  bool bias = true;  // of the linear layers
  double dropout = 0.1;
  double attention_dropout = 0.1;
  double embedding_dropout = 0.1;
};

template <nn::OptionsOf<TransformerOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  using nn::Field;
  visit(nn::size_field("width", "hidden_size"), o.width);
  visit(nn::size_field("heads", "num_attention_heads"), o.heads);
  visit(Field{.name = "layers", .json = "num_hidden_layers", .least = 1, .most = nn::kMostLayers},
        o.layers);
  visit(nn::size_field("hidden", "intermediate_size"), o.hidden);
  visit(nn::size_field("longest", "max_position_embeddings"), o.longest);
  visit(Field{.name = "activation", .json = "hidden_act"}, o.activation);
  visit(Field{.name = "norm", .json = "norm", .may_be_missing = true}, o.norm);
  visit(Field{.name = "norm_place", .json = "norm_place"}, o.norm_place);
  visit(Field{.name = "initialisation", .json = "initialisation"}, o.initialisation);
  visit(Field{.name = "bias", .json = "use_bias", .may_be_missing = true}, o.bias);
  visit(nn::share_field("dropout", "hidden_dropout_prob"), o.dropout);
  visit(nn::share_field("attention_dropout", "attention_probs_dropout_prob"), o.attention_dropout);
  visit(nn::share_field("embedding_dropout", "embedding_dropout_prob"), o.embedding_dropout);
  visit_fields(o.attention, visit);
}

// Throws UsageError naming the field that cannot be used.
void check(const TransformerOptions& options);

// Throws UsageError unless 0 <= value < 1.
void check_share(const char* name, double value);

// The layers that these options ask for.
nn::LayerOptions layer_options(const TransformerOptions& options);

}  // namespace heed::models
