// What language models and encoder-decoders have in common, as text and numbers.
#pragma once

#include <cstdint>
#include <string>

#include "heed/nn/attention/attention_settings.h"
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

// Throws UsageError naming the field that cannot be used.
void check(const TransformerOptions& options);

// Throws UsageError unless 0 <= value < 1.
void check_share(const char* name, double value);

// The layers that these options ask for.
nn::LayerOptions layer_options(const TransformerOptions& options);

}  // namespace heed::models
