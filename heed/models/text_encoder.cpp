#include "heed/models/text_encoder.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"
#include "heed/models/parts/transformer_input.h"
#include "heed/nn/parameters/init.h"

namespace heed::models {

void check(const TextEncoderOptions& o) {
  nn::FieldCheck()(nn::size_field("vocab_size"), o.vocab_size);
  check_usage(o.pad_token_id >= -1 && o.pad_token_id < o.vocab_size,
              "pad_token_id: expected −1 or an id below the vocabulary size ", o.vocab_size,
              ", got ", o.pad_token_id);
  check(o.transformer);
}

TextEncoder::TextEncoder(const TextEncoderOptions& options) : options_(options) {
  check(options);
  const TransformerOptions& o = options.transformer;
  TokenInputOptions in = input_options(o);
  in.vocab_size = options.vocab_size;
  in.pad_token_id = options.pad_token_id;
  in.dropout = o.embedding_dropout;
  if (o.input.scale > 0) in.scale = o.input.scale;
  input = register_module("input", std::make_shared<TokenInput>(in));
  encoder =
      register_module("encoder", std::make_shared<nn::Encoder>(o.num_layers, layer_options(o)));
  nn::init_linear_layers(*this, nn::init_from(o.init));
}

at::Tensor TextEncoder::forward(const TextBatch& batch, nn::AttentionTrace* trace) const {
  return encoder->forward(input->forward(batch.ids, {}, batch.types), Pattern::full(), trace,
                          batch.lengths);
}

}  // namespace heed::models
