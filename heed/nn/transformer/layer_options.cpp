#include "heed/nn/transformer/layer_options.h"

namespace heed::nn {

MultiHeadAttentionOptions attention_options(const LayerOptions& options) {
  return {.d_model = options.d_model,
          .num_heads = options.num_heads,
          .dropout = options.attention_dropout,
          .attention = options.attention,
          .bias = options.bias,
          .d_memory = options.d_memory,
          .details = options.details.attention};
}

FeedForwardOptions feed_forward_options(const LayerOptions& options) {
  return {.d_model = options.d_model,
          .d_ff = options.d_ff,
          .kind = options.feed_forward,
          .dropout = options.details.hidden_dropout.value_or(options.dropout),
          .bias = options.details.feed_forward_bias.value_or(options.bias)};
}

Norm::Options norm_options(const LayerOptions& options) {
  return {.kind = options.norm,
          .d_model = options.d_model,
          .epsilon = options.details.norm_epsilon,
          .bias = options.details.norm_bias,
          .adds_one = options.details.norm_adds_one};
}

}  // namespace heed::nn
