#include "heed/models/language_model.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "heed/base/error.h"
#include "heed/models/parts/last_token.h"
#include "heed/models/parts/transformer_input.h"
#include "heed/nn/parameters/init.h"

namespace heed::models {

LanguageModelOptions gpt2_options() {
  return {.vocab_size = 50'257,
          .transformer = {.d_model = 768,
                          .num_heads = 12,
                          .num_layers = 12,
                          .d_ff = 3072,
                          .max_length = 1024,
                          .attention = {.positions = "learned"},
                          .activation = "gelu_tanh"}};
}

LanguageModelOptions llama_options() {
  return {.vocab_size = 32'000,
          .transformer = {.d_model = 768,
                          .num_heads = 12,
                          .num_layers = 12,
                          .d_ff = 2048,
                          .max_length = 2048,
                          .attention = {.positions = "rotary", .num_key_value_heads = 4},
                          .activation = "swiglu",
                          .norm = "rms",
                          .bias = false,
                          .dropout = 0,
                          .attention_dropout = 0,
                          .embedding_dropout = 0},
          .tie_word_embeddings = false};
}

void check(const LanguageModelOptions& options) {
  visit_fields(options, nn::FieldCheck());
  check(options.transformer);
}

LanguageModel::LanguageModel(const LanguageModelOptions& options) : options_(options) {
  check(options);
  const TransformerOptions& o = options.transformer;
  TokenInputOptions input = input_options(o);
  input.vocab_size = options.vocab_size;
  input.embedding_std = options.embedding_std;
  if (o.input.scale > 0) input.scale = o.input.scale;
  input.dropout = o.embedding_dropout;
  input_ = register_module("input", std::make_shared<TokenInput>(input));
  decoder_ =
      register_module("decoder", std::make_shared<nn::Decoder>(o.num_layers, layer_options(o)));
  if (!options.tie_word_embeddings) {
    output_ =
        register_module("output", std::make_shared<nn::Linear>(nn::LinearOptions{
                                      .in = o.d_model, .out = options.vocab_size, .bias = false}));
  }
  nn::init_linear_layers(*this, nn::init_from(o.init));
}

at::Tensor LanguageModel::states(const TextBatch& batch, const nn::DecoderContext& context) const {
  nn::DecoderContext all = context;
  all.lengths = batch.lengths;
  const nn::TokenPositions positions =
      context.cache != nullptr ? context.cache->positions() : nn::TokenPositions{};
  return decoder_->forward(input_->forward(batch.ids, positions), all);
}

at::Tensor LanguageModel::logits(const at::Tensor& states) const {
  const at::Tensor all =
      output_ ? output_->forward(states) : heed::linear(states, input_->embedding->weight);
  const double softcap = options_.logit_softcap;
  return softcap > 0 ? (all / softcap).tanh() * softcap : all;
}

at::Tensor LanguageModel::forward(const TextBatch& batch, nn::AttentionTrace* trace) const {
  return logits(states(batch, {.trace = trace}));
}

at::Tensor LanguageModel::forward(const TextBatch& batch, nn::DecoderCache& cache,
                                  nn::AttentionTrace* trace) const {
  const c10::AutoGradMode no_gradients(false);
  return logits(states(batch, {.cache = &cache, .trace = trace}));
}

at::Tensor LanguageModel::next(const TextBatch& batch, nn::DecoderCache& cache,
                               nn::AttentionTrace* trace) const {
  const c10::AutoGradMode no_gradients(false);
  return logits(last_token(states(batch, {.cache = &cache, .trace = trace}), batch.lengths));
}

}  // namespace heed::models
