#include "heed/nn/decoder_layer.h"

#include "heed/base/error.h"
#include "heed/ops/dropout.h"

namespace heed::nn {

DecoderLayer::DecoderLayer(const LayerOptions& options) : options_(options) {
  attention = register_module("attention",
                              std::make_shared<MultiHeadAttention>(attention_options(options)));
  attention_norm = Norm(*this, "attention_norm", norm_options(options));
  if (options.d_memory > 0) {
    cross_attention = register_module("cross_attention",
                                      std::make_shared<CrossAttention>(attention_options(options)));
    cross_attention_norm = Norm(*this, "cross_attention_norm", norm_options(options));
  }
  feed_forward =
      register_module("feed_forward", std::make_shared<FeedForward>(feed_forward_options(options)));
  feed_forward_norm = Norm(*this, "feed_forward_norm", norm_options(options));
}

at::Tensor DecoderLayer::sum(const at::Tensor& x, const at::Tensor& part) const {
  return add_dropout(part, x, {.probability = is_training() ? options_.dropout : 0});
}

at::Tensor DecoderLayer::forward(const at::Tensor& input, const Context& context) const {
  check_usage((context.memory != nullptr) == (cross_attention != nullptr),
              cross_attention ? "decoder layer: expected a memory for its cross-attention, got none"
                              : "decoder layer: it has no cross-attention, but a memory came");
  const auto cross = [&](const at::Tensor& x) {
    return cross_attention->forward(x, *context.memory, context.memory_pattern, context.self.trace);
  };
  at::Tensor x = input;
  if (options_.norm_first) {
    x = sum(x, attention->forward(attention_norm.forward(x), context.self));
    if (cross_attention) x = sum(x, cross(cross_attention_norm.forward(x)));
    x = sum(x, feed_forward->forward(feed_forward_norm.forward(x)));
  } else {
    x = attention_norm.forward(sum(x, attention->forward(x, context.self)));
    if (cross_attention) x = cross_attention_norm.forward(sum(x, cross(x)));
    x = feed_forward_norm.forward(sum(x, feed_forward->forward(x)));
  }
  return x;
}

}  // namespace heed::nn
