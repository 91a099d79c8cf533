#include "heed/nn/encoder.h"

#include "heed/nn/transformer/layer_stack.h"
#include "heed/nn/transformer/recompute.h"

namespace heed::nn {

Encoder::Encoder(int64_t count, const LayerOptions& options)
    : layers(make_layers<EncoderLayer>(*this, count, options)) {
  if (options.norm_first) {
    final_norm = Norm(*this, "final_norm", norm_options(options));
  }
}

at::Tensor Encoder::forward(const at::Tensor& input, const Pattern& pattern, AttentionTrace* trace,
                            const at::Tensor& lengths) const {
  at::Tensor x = input;
  const bool again = trace == nullptr && GradientCheckpointing::is_on();
  const std::vector<at::Tensor> learnt = again ? parameters() : std::vector<at::Tensor>();
  for (const auto& layer : layers) {
    if (again) {
      x = recomputed(
          [layer, pattern, lengths](const auto& inputs) {
            return layer->forward(inputs[0], pattern, nullptr, lengths);
          },
          {x}, learnt);
    } else {
      x = layer->forward(x, pattern, trace, lengths);
    }
  }
  return final_norm.forward(x);
}

}  // namespace heed::nn
