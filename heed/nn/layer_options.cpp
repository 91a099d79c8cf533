#include "heed/nn/layer_options.h"

namespace heed::nn {

MultiHeadAttentionOptions attention_options(const LayerOptions& options) {
  return {.d_model = options.d_model,
          .num_heads = options.num_heads,
          .dropout = options.attention_dropout,
          .attention = options.attention,
          .bias = options.bias,
          .d_memory = options.d_memory};
}

FeedForwardOptions feed_forward_options(const LayerOptions& options) {
  return {.d_model = options.d_model,
          .d_ff = options.d_ff,
          .kind = options.feed_forward,
          .dropout = options.dropout,
          .bias = options.bias};
}

Norm::Options norm_options(const LayerOptions& options) {
  return {.kind = options.norm, .d_model = options.d_model};
}

}  // namespace heed::nn
