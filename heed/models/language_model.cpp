#include "heed/models/language_model.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "heed/base/error.h"
#include "heed/models/parts/last_token.h"
#include "heed/models/parts/transformer_input.h"
#include "heed/nn/initialise.h"

namespace heed::models {

LanguageModelOptions gpt2_options() {
  return {.vocabulary = 50'257,
          .transformer = {.width = 768,
                          .heads = 12,
                          .layers = 12,
                          .hidden = 3072,
                          .longest = 1024,
                          .attention = {.positions = "learned"},
                          .activation = "gelu_tanh"}};
}

LanguageModelOptions llama_options() {
  return {.vocabulary = 32'000,
          .transformer = {.width = 768,
                          .heads = 12,
                          .layers = 12,
                          .hidden = 2048,
                          .longest = 2048,
                          .attention = {.positions = "rotary", .key_heads = 4},
                          .activation = "swiglu",
                          .norm = "rms",
                          .bias = false,
                          .dropout = 0,
                          .attention_dropout = 0,
                          .embedding_dropout = 0},
          .tied = false};
}

void check(const LanguageModelOptions& options) {
  visit_fields(options, nn::FieldCheck());
  check(options.transformer);
}

LanguageModel::LanguageModel(const LanguageModelOptions& options) : options_(options) {
  check(options);
  const TransformerOptions& o = options.transformer;
  TokenInputOptions input = input_options(o);
  input.vocabulary = options.vocabulary;
  input.deviation = options.embedding_deviation;
  input.dropout = o.embedding_dropout;
  input_ = register_module("input", std::make_shared<TokenInput>(input));
  decoder_ = register_module("decoder", std::make_shared<nn::Decoder>(o.layers, layer_options(o)));
  if (!options.tied) {
    output_ =
        register_module("output", std::make_shared<nn::Linear>(nn::LinearOptions{
                                      .in = o.width, .out = options.vocabulary, .bias = false}));
  }
  nn::initialise_linear_layers(*this, nn::initialisation_from(o.initialisation));
}

at::Tensor LanguageModel::states(const TextBatch& batch, const nn::DecoderContext& context) const {
  nn::DecoderContext all = context;
  all.lengths = batch.lengths;
  const nn::Places places = context.cache != nullptr ? context.cache->places() : nn::Places{};
  return decoder_->forward(input_->forward(batch.ids, places), all);
}

at::Tensor LanguageModel::logits(const at::Tensor& states) const {
  return output_ ? output_->forward(states) : heed::linear(states, input_->embedding->weight);
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
