#include "heed/nn/transformer/conformer_layer.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"
#include "heed/nn/layers/subsampling.h"
#include "heed/nn/parameters/init.h"
#include "heed/nn/transformer/recompute.h"
#include "heed/ops/dropout.h"

namespace heed::nn {

ConvolutionModule::ConvolutionModule(const ConvolutionOptions& options) : causal_(options.causal) {
  check_usage(options.kernel_size % 2 == 1, "kernel_size: expected an odd number, got ",
              options.kernel_size);
  const auto linear = [&](const char* name, int64_t in, int64_t out) {
    return register_module(name, std::make_shared<Linear>(LinearOptions{.in = in, .out = out}));
  };
  up = linear("up", options.d_model, 2 * options.d_model);
  at::Tensor kernel = at::empty({options.d_model, 1, options.kernel_size});
  at::Tensor flat = kernel.view({options.d_model, -1});
  init_weight(flat, Init::kScaledNormal);
  weight = register_parameter("weight", kernel);
  bias = register_parameter("bias", at::zeros({options.d_model}));
  norm = Norm(*this, "norm", {.d_model = options.d_model});
  down = linear("down", options.d_model, options.d_model);
}

at::Tensor ConvolutionModule::with_steps_before(const at::Tensor& x, const at::Tensor& lengths,
                                                at::Tensor* before) const {
  const int64_t count = weight.size(2) - 1;
  const at::Tensor first = before != nullptr && before->defined()
                               ? before->to(x.scalar_type())
                               : at::zeros({x.size(0), count, x.size(2)}, x.options());
  const at::Tensor all = at::cat({first, x}, 1);
  if (before == nullptr) return all;
  if (lengths.defined()) {  // the last steps of each row
    const at::Tensor real = lengths.to(x.device());
    const at::Tensor positions = real.unsqueeze(1) + at::arange(count, real.options());
    *before = all.gather(1, positions.unsqueeze(2).expand({-1, -1, x.size(2)}));
  } else {
    *before = all.slice(1, x.size(1));
  }
  return all;
}

at::Tensor ConvolutionModule::forward(const at::Tensor& x, const at::Tensor& lengths,
                                      at::Tensor* before) const {
  const auto halves = up->forward(x).chunk(2, -1);
  at::Tensor gated = without_padding(halves[0] * halves[1].sigmoid(), lengths);
  if (causal_) gated = with_steps_before(gated, lengths, before);
  const at::Tensor near = at::conv1d(gated.transpose(1, 2), weight, bias, /*stride=*/1,
                                     /*padding=*/causal_ ? 0 : weight.size(2) / 2, /*dilation=*/1,
                                     /*groups=*/weight.size(0))
                              .transpose(1, 2);
  return down->forward(at::silu(norm.forward(near)));
}

ConformerLayer::ConformerLayer(const LayerOptions& options, int64_t kernel_size)
    : options_(options), pattern_(pattern_from(options.attention.pattern)) {
  const auto part = [&](const char* name) {
    return register_module(name, std::make_shared<FeedForward>(feed_forward_options(options)));
  };
  const auto make_norm = [&](const char* name) { return Norm(*this, name, norm_options(options)); };
  first_feed_forward_norm = make_norm("first_feed_forward_norm");
  first_feed_forward = part("first_feed_forward");
  attention_norm = make_norm("attention_norm");
  attention = register_module("attention",
                              std::make_shared<MultiHeadAttention>(attention_options(options)));
  convolution_norm = make_norm("convolution_norm");
  convolution =
      register_module("convolution", std::make_shared<ConvolutionModule>(ConvolutionOptions{
                                         .d_model = options.d_model, .kernel_size = kernel_size}));
  feed_forward_norm = make_norm("feed_forward_norm");
  feed_forward = part("feed_forward");
  final_norm = make_norm("final_norm");
}

at::Tensor ConformerLayer::sum(const at::Tensor& x, const at::Tensor& part, double share) const {
  return add_dropout(share == 1 ? part : part * share, x,
                     {.probability = is_training() ? options_.dropout : 0});
}

at::Tensor ConformerLayer::forward(const at::Tensor& input, const Pattern& pattern,
                                   const at::Tensor& lengths, AttentionTrace* trace) const {
  at::Tensor x = sum(input, first_feed_forward->forward(first_feed_forward_norm.forward(input)),
                     /*share=*/0.5);
  x = sum(x, attention->forward(attention_norm.forward(x), pattern & pattern_, trace));
  x = sum(x, convolution->forward(convolution_norm.forward(x), lengths));
  x = sum(x, feed_forward->forward(feed_forward_norm.forward(x)), /*share=*/0.5);
  return final_norm.forward(x);
}

ConformerEncoder::ConformerEncoder(int64_t count, const LayerOptions& options,
                                   int64_t kernel_size) {
  for (int64_t i = 0; i < count; ++i) {
    layers.push_back(register_module(text_of("layer_", i),
                                     std::make_shared<ConformerLayer>(options, kernel_size)));
  }
}

at::Tensor ConformerEncoder::forward(const at::Tensor& input, const at::Tensor& lengths,
                                     AttentionTrace* trace) const {
  const Pattern pattern = lengths.defined() ? Pattern::padded({.key = lengths}) : Pattern::full();
  at::Tensor x = input;
  const bool again = trace == nullptr && GradientCheckpointing::is_on();
  const std::vector<at::Tensor> learnt = again ? parameters() : std::vector<at::Tensor>();
  for (const auto& layer : layers) {
    if (again) {
      x = recomputed(
          [layer, pattern, lengths](const auto& inputs) {
            return layer->forward(inputs[0], pattern, lengths);
          },
          {x}, learnt);
    } else {
      x = layer->forward(x, pattern, lengths, trace);
    }
  }
  return x;
}

}  // namespace heed::nn
