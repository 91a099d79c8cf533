#include "heed/nn/encoder.h"

#include "heed/base/error.h"

namespace heed::nn {

Encoder::Encoder(int64_t count, const EncoderLayerOptions& options) {
  for (int64_t i = 0; i < count; ++i) {
    layers.push_back(
        register_module(text_of("layer_", i), std::make_shared<EncoderLayer>(options)));
  }
  if (options.norm == NormPlace::kPre) {
    final_norm = register_module("final_norm", std::make_shared<LayerNorm>(options.width));
  }
}

at::Tensor Encoder::forward(const at::Tensor& input, const Pattern& pattern,
                            AttentionTrace* trace) const {
  at::Tensor x = input;
  for (const auto& layer : layers) x = layer->forward(x, pattern, trace);
  return final_norm ? final_norm->forward(x) : x;
}

}  // namespace heed::nn
