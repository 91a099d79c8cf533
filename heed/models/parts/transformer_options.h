// What all models on a transformer have in common, as text and numbers.
#pragma once

#include <cstdint>
#include <string>

#include "heed/models/parts/input_details.h"
#include "heed/nn/attention/attention_settings.h"
#include "heed/nn/fields.h"
#include "heed/nn/layers/feed_forward.h"
#include "heed/nn/layers/norm.h"
#include "heed/nn/parameters/init.h"
#include "heed/nn/transformer/layer_details.h"
#include "heed/nn/transformer/layer_options.h"

namespace heed::models {

struct TransformerOptions {
  int64_t d_model = 256;     // C
  int64_t num_heads = 4;     // H
  int64_t num_layers = 4;    // of each stack
  int64_t d_ff = 1024;       // of the feed-forward parts
  int64_t max_length = 512;  // tokens, for positions that are a table
  nn::AttentionSettings attention = {};
  std::string activation = "gelu";        // nn::feed_forward_kind_from
  std::string norm = "layer";             // or "rms"
  bool norm_first = true;                 // pre-norm; false: post-norm
  std::string init = "residual_normal";   // nn::init_names
  bool bias = true;                       // of the linear layers
  std::string before_attention = "none";  // nn::before_attention_names
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
  visit(nn::size_field("max_length", "Tokens of a text at most"), o.max_length);
  visit(nn::size_field("d_model", "Size of a token's vector"), o.d_model);
  visit(nn::size_field("num_heads", "Attention heads, a divisor of d_model"), o.num_heads);
  visit(nn::layers_field("num_layers", "Layers of each stack"), o.num_layers);
  visit(Field{.name = "d_ff",
              .help = "Hidden size of the feed-forward parts",
              .least = 1,
              .most = nn::kLargestSize,
              .zero = "4 times d_model, gated 8/3 times"},
        o.d_ff);
  visit(Field{.name = "activation",
              .help = "Of the feed-forward parts; the last four are gated",
              .choices = nn::feed_forward_names},
        o.activation);
  visit(Field{.name = "norm",
              .help = "Layer norm, or root mean square norm",
              .choices = nn::norm_names,
              .may_be_missing = true},
        o.norm);
  visit(Field{.name = "norm_first",
              .help = "Norm before each part (pre-norm) instead of behind the residual sum "
                      "(post-norm)"},
        o.norm_first);
  visit(Field{.name = "bias", .help = "Whether linear layers add a bias", .may_be_missing = true},
        o.bias);
  visit(
      Field{.name = "before_attention",
            .help = "A part of each layer before its attention: a convolution over neighbours, or "
                    "a recurrent layer",
            .choices = nn::before_attention_names,
            .may_be_missing = true},
      o.before_attention);
  visit(Field{.name = "init", .help = "How weights are initialised", .choices = nn::init_names},
        o.init);
  visit(nn::share_field("dropout", "Share of values dropped between layers"), o.dropout);
  visit(nn::share_field("attention_dropout", "Share of attention weights dropped"),
        o.attention_dropout);
  visit(nn::share_field("embedding_dropout", "Share of embedding values dropped"),
        o.embedding_dropout);
  visit_fields(o.attention, visit);
}

// Throws UsageError naming the field that cannot be used.
void check(const TransformerOptions& options);

// The layers that these options ask for.
nn::LayerOptions layer_options(const TransformerOptions& options);

}  // namespace heed::models
