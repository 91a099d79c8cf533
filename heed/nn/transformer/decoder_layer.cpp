#include "heed/nn/transformer/decoder_layer.h"

#include "heed/base/error.h"
#include "heed/nn/transformer/before_attention.h"
#include "heed/ops/dropout.h"

namespace heed::nn {

DecoderLayer::DecoderLayer(const LayerOptions& options) : options_(options) {
  before_attention = make_before_attention(*this, options, Directions::kForward);
  if (before_attention) {
    before_attention_norm = Norm(*this, "before_attention_norm", norm_options(options));
  }
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
  if (options.details.norm_last) {
    check_usage(options.norm_first && cross_attention == nullptr,
                "decoder layer: a norm behind each part goes with one before it, without a memory");
    attention_last_norm = Norm(*this, "attention_last_norm", norm_options(options));
    feed_forward_last_norm = Norm(*this, "feed_forward_last_norm", norm_options(options));
  }
  check_usage(!options.details.parallel_parts || (options.norm_first && !cross_attention),
              "decoder layer: parallel parts go with norms before them, without a memory");
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
  if (before_attention) {
    const auto before = [&](const at::Tensor& from) {
      return before_attention->forward(from, context.lengths, context.carried);
    };
    x = options_.norm_first ? sum(x, before(before_attention_norm.forward(x)))
                            : before_attention_norm.forward(sum(x, before(x)));
  }
  const auto self = [&](const at::Tensor& from) {
    return attention_last_norm.forward(
        attention->forward(attention_norm.forward(from), context.self));
  };
  const auto forward = [&](const at::Tensor& from) {
    return feed_forward_last_norm.forward(feed_forward->forward(feed_forward_norm.forward(from)));
  };
  if (options_.details.parallel_parts) {
    x = sum(sum(x, self(x)), forward(x));
  } else if (options_.norm_first) {
    x = sum(x, self(x));
    if (cross_attention) x = sum(x, cross(cross_attention_norm.forward(x)));
    x = sum(x, forward(x));
  } else {
    x = attention_norm.forward(sum(x, attention->forward(x, context.self)));
    if (cross_attention) x = cross_attention_norm.forward(sum(x, cross(x)));
    x = feed_forward_norm.forward(sum(x, feed_forward->forward(x)));
  }
  return x;
}

}  // namespace heed::nn
