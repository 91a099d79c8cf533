#include "heed/nn/layer_options.h"

namespace heed::nn {

MultiHeadAttentionOptions attention_options(const LayerOptions& options) {
  return {.width = options.width,
          .heads = options.heads,
          .dropout = options.attention_dropout,
          .attention = options.attention,
          .bias = options.bias,
          .memory_width = options.memory_width};
}

FeedForwardOptions feed_forward_options(const LayerOptions& options) {
  return {.width = options.width,
          .hidden = options.hidden,
          .kind = options.feed_forward,
          .dropout = options.dropout,
          .bias = options.bias};
}

Norm::Options norm_options(const LayerOptions& options) {
  return {.kind = options.norm, .width = options.width};
}

}  // namespace heed::nn
