#include "heed/nn/encoder.h"

#include "heed/nn/layers/packed_rows.h"
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
  const EncoderLayer::Context context{
      .pattern = lengths.defined() ? pattern & Pattern::padded({.key = lengths, .query = lengths})
                                   : pattern,
      .trace = trace,
      .lengths = lengths,
      .packed = packed_where_it_pays(input, lengths)};
  at::Tensor x = context.packed ? context.packed->pack(input) : input;
  const bool again = trace == nullptr && GradientCheckpointing::is_on();
  const std::vector<at::Tensor> learnt = again ? parameters() : std::vector<at::Tensor>();
  for (const auto& layer : layers) {
    if (again) {
      x = recomputed(
          [layer, context](const auto& inputs) { return layer->forward(inputs[0], context); }, {x},
          learnt);
    } else {
      x = layer->forward(x, context);
    }
  }
  x = final_norm.forward(x);
  return context.packed ? context.packed->unpack(x) : x;
}

}  // namespace heed::nn
