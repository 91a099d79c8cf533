#include "heed/nn/transformer/encoder_layer.h"

#include "heed/base/error.h"
#include "heed/nn/layers/packed_rows.h"
#include "heed/nn/transformer/before_attention.h"
#include "heed/ops/dropout.h"

namespace heed::nn {

EncoderLayer::EncoderLayer(const LayerOptions& options)
    : options_(options), pattern_(pattern_from(options.attention.pattern)) {
  check_usage(!options.details.norm_last && !options.details.parallel_parts,
              "encoder layer: norms behind the parts and parallel parts are those of decoders");
  before_attention = make_before_attention(*this, options, Directions::kBoth);
  if (before_attention) {
    before_attention_norm = Norm(*this, "before_attention_norm", norm_options(options));
  }
  attention = register_module("attention",
                              std::make_shared<MultiHeadAttention>(attention_options(options)));
  feed_forward =
      register_module("feed_forward", std::make_shared<FeedForward>(feed_forward_options(options)));
  if (options.details.first_attention_norm) {
    attention_norm = Norm(*this, "attention_norm", norm_options(options));
  }
  feed_forward_norm = Norm(*this, "feed_forward_norm", norm_options(options));
}

at::Tensor EncoderLayer::sum(const at::Tensor& x, const at::Tensor& part) const {
  return add_dropout(part, x, {.probability = is_training() ? options_.dropout : 0});
}

at::Tensor EncoderLayer::before(const at::Tensor& x, const Context& context) const {
  if (!context.packed) return before_attention->forward(x, context.lengths);
  return context.packed->pack(
      before_attention->forward(context.packed->unpack(x), context.lengths));
}

at::Tensor EncoderLayer::forward(const at::Tensor& input, const Context& context) const {
  const SelfAttentionContext self{.pattern = context.pattern & pattern_,
                                  .trace = context.trace,
                                  .packed = context.packed.get()};
  at::Tensor x = input;
  if (options_.norm_first) {
    if (before_attention) {
      x = sum(x, before(before_attention_norm.forward(x), context));
    }
    x = sum(x, attention->forward(attention_norm.forward(x), self));
    x = sum(x, feed_forward->forward(feed_forward_norm.forward(x)));
  } else {
    if (before_attention) {
      x = before_attention_norm.forward(sum(x, before(x, context)));
    }
    x = attention_norm.forward(sum(x, attention->forward(x, self)));
    x = feed_forward_norm.forward(sum(x, feed_forward->forward(x)));
  }
  return x;
}

}  // namespace heed::nn
