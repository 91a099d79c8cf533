#include "heed/nn/recurrent_encoder.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"
#include "heed/ops/dropout.h"

namespace heed::nn {

RecurrentEncoder::RecurrentEncoder(const RecurrentEncoderOptions& options)
    : dropout_(options.dropout) {
  for (int64_t i = 0; i < options.num_layers; ++i) {
    layers.push_back(register_module(
        text_of("layer_", i), std::make_shared<Recurrent>(RecurrentOptions{
                                  .input_size = i == 0 ? options.d_model : 2 * options.d_model,
                                  .hidden_size = options.d_model,
                                  .cell = options.cell,
                                  .bidirectional = true})));
  }
}

Memory RecurrentEncoder::forward(const at::Tensor& input, const at::Tensor& lengths) const {
  Memory memory{.states = input, .lengths = lengths};
  for (const auto& layer : layers) {
    if (!memory.last.empty()) {
      memory.states = heed::dropout(memory.states, {.probability = is_training() ? dropout_ : 0});
    }
    RecurrentState last;
    memory.states = layer->forward(memory.states, lengths, &last);
    memory.last.push_back(last);
  }
  return memory;
}

}  // namespace heed::nn
