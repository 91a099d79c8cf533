// What language models and encoder-decoders have in common, as text and numbers.
#pragma once

#include <cstdint>
#include <string>

#include "heed/models/parts/input_details.h"
#include "heed/nn/attention/attention_settings.h"
#include "heed/nn/fields.h"
#include "heed/nn/layer_details.h"
#include "heed/nn/layer_options.h"

namespace heed::models {

struct TransformerOptions {
  int64_t d_model = 256;     // C
  int64_t num_heads = 4;     // H
  int64_t num_layers = 4;    // of each stack
  int64_t d_ff = 1024;       // of the feed-forward parts
  int64_t max_length = 512;  // tokens, for positions that are a table
  nn::AttentionSettings attention = {};
  std::string activation = "gelu";  // nn::feed_forward_kind_from
  std::string norm = "layer";       // or "rms"
  bool norm_first = true;           // pre-norm; false: post-norm
  std::string initialisation = "residual_normal";
  bool bias = true;  // of the linear layers
  double dropout = 0.1;
  double attention_dropout = 0.1;
  double embedding_dropout = 0.1;
  // Of published models; no command line or config.json of Heed's own has them.
  nn::LayerDetails details = {};
  InputDetails input = {};
};

template <nn::OptionsOf<TransformerOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  using nn::Field;
  visit(nn::size_field("d_model"), o.d_model);
  visit(nn::size_field("num_heads"), o.num_heads);
  visit(Field{.name = "num_layers", .least = 1, .most = nn::kMostLayers}, o.num_layers);
  visit(nn::size_field("d_ff"), o.d_ff);
  visit(nn::size_field("max_length"), o.max_length);
  visit(Field{.name = "activation"}, o.activation);
  visit(Field{.name = "norm", .may_be_missing = true}, o.norm);
  visit(Field{.name = "norm_first"}, o.norm_first);
  visit(Field{.name = "initialisation"}, o.initialisation);
  visit(Field{.name = "bias", .may_be_missing = true}, o.bias);
  visit(nn::share_field("dropout"), o.dropout);
  visit(nn::share_field("attention_dropout"), o.attention_dropout);
  visit(nn::share_field("embedding_dropout"), o.embedding_dropout);
  visit_fields(o.attention, visit);
}

// Throws UsageError naming the field that cannot be used.
void check(const TransformerOptions& options);

// Throws UsageError unless 0 <= value < 1.
void check_share(const char* name, double value);

// The layers that these options ask for.
nn::LayerOptions layer_options(const TransformerOptions& options);

}  // namespace heed::models
