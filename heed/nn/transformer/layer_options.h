// What a layer of an encoder or a decoder is made of.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/nn/attention/attention_heads.h"
#include "heed/nn/layers/feed_forward.h"
#include "heed/nn/layers/norm.h"
#include "heed/nn/transformer/layer_details.h"

namespace heed::nn {

struct LayerOptions {
  int64_t d_model = 0;    // C
  int64_t num_heads = 1;  // H
  int64_t d_ff = 0;       // of the feed-forward part
  AttentionSettings attention = {};
  FeedForwardKind feed_forward = {};
  NormKind norm = NormKind::kLayer;
  // Before each part (pre-norm, Xiong et al. 2020: trains deep stacks without a warm-up), or behind
  // the residual sum as in the original (post-norm).
  bool norm_first = false;
  double dropout = 0;            // of each part's result and of the feed-forward hidden layer
  double attention_dropout = 0;  // of the attention weights
  bool bias = true;              // of the linear layers
  int64_t d_memory = 0;          // of a decoder's memory; 0: no cross-attention
  std::string before_attention = "none";  // before_attention_names
  LayerDetails details = {};
};

// "none", "conv", "gru", "lstm": see before_attention.h.
std::vector<std::string> before_attention_names();

// Those of its parts.
MultiHeadAttentionOptions attention_options(const LayerOptions& options);
FeedForwardOptions feed_forward_options(const LayerOptions& options);
Norm::Options norm_options(const LayerOptions& options);

}  // namespace heed::nn
