#include "heed/nn/encoder_layer.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"

namespace heed::nn {

NormPlace norm_place_from(std::string_view name) {
  if (name == "post") return NormPlace::kPost;
  if (name == "pre") return NormPlace::kPre;
  throw UsageError(text_of("norm: expected one of post, pre, got '", name, "'"));
}

std::string name_of(NormPlace place) { return place == NormPlace::kPost ? "post" : "pre"; }

EncoderLayer::EncoderLayer(const EncoderLayerOptions& options) : options_(options) {
  attention =
      register_module("attention", std::make_shared<MultiHeadAttention>(MultiHeadAttentionOptions{
                                       .width = options.width,
                                       .heads = options.heads,
                                       .dropout = options.attention_dropout,
                                   }));
  feed_forward = register_module("feed_forward", std::make_shared<FeedForward>(FeedForwardOptions{
                                                     .width = options.width,
                                                     .hidden = options.hidden,
                                                     .activation = options.activation,
                                                     .dropout = options.dropout,
                                                 }));
  attention_norm = register_module("attention_norm", std::make_shared<LayerNorm>(options.width));
  feed_forward_norm =
      register_module("feed_forward_norm", std::make_shared<LayerNorm>(options.width));
}

at::Tensor EncoderLayer::drop(const at::Tensor& values) const {
  return at::dropout(values, options_.dropout, is_training());
}

at::Tensor EncoderLayer::forward(const at::Tensor& input, const Pattern& pattern,
                                 AttentionTrace* trace) const {
  at::Tensor x = input;
  if (options_.norm == NormPlace::kPre) {
    x = x + drop(attention->forward(attention_norm->forward(x), pattern, trace));
    x = x + drop(feed_forward->forward(feed_forward_norm->forward(x)));
  } else {
    x = attention_norm->forward(x + drop(attention->forward(x, pattern, trace)));
    x = feed_forward_norm->forward(x + drop(feed_forward->forward(x)));
  }
  return x;
}

}  // namespace heed::nn
