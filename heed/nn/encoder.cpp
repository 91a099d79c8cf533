#include "heed/nn/encoder.h"

namespace heed::nn {

Encoder::Encoder(int64_t count, const LayerOptions& options)
    : layers(make_layers<EncoderLayer>(*this, count, options)) {
  if (options.norm_first) {
    final_norm = Norm(*this, "final_norm", norm_options(options));
  }
}

at::Tensor Encoder::forward(const at::Tensor& input, const Pattern& pattern,
                            AttentionTrace* trace) const {
  at::Tensor x = input;
  for (const auto& layer : layers) x = layer->forward(x, pattern, trace);
  return final_norm.forward(x);
}

}  // namespace heed::nn
