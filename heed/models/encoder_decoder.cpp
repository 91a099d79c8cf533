#include "heed/models/encoder_decoder.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/models/parts/last_token.h"
#include "heed/models/parts/sound_input.h"
#include "heed/models/parts/transformer_input.h"
#include "heed/nn/parameters/init.h"
#include "heed/ops/dropout.h"

namespace heed::models {
namespace {

// What both sides share.
TokenInputOptions side_options(const TransformerOptions& o) {
  TokenInputOptions input = input_options(o);
  input.embedding_std = 1 / std::sqrt(static_cast<double>(o.d_model));
  input.scale = input_scale(input);
  input.dropout = o.embedding_dropout;
  return input;
}

bool shares_embedding(const EncoderDecoderOptions& o) {
  return o.tie_word_embeddings == "all" || o.tie_word_embeddings == "inputs";
}

void check_padding(const char* name, int64_t id, int64_t vocabulary) {
  check_usage(id < vocabulary, name, ": expected −1 or an id below the vocabulary size ",
              vocabulary, ", got ", id);
}

}  // namespace

std::vector<std::string> embedding_ties() { return {"none", "output", "inputs", "all"}; }

std::vector<std::string> encoder_decoder_architectures() { return {"transformer", "rnn"}; }

void check(const EncoderDecoderOptions& o) {
  visit_fields(o, nn::FieldCheck());
  check_usage(o.architecture != "rnn" || o.source_mel_bins == 0,
              "architecture: an rnn reads texts, not sounds");
  check_padding("source_pad_token_id", o.source_pad_token_id, o.source_vocab_size);
  check_padding("target_pad_token_id", o.target_pad_token_id, o.target_vocab_size);
  check_usage(!shares_embedding(o) || (o.source_vocab_size == o.target_vocab_size &&
                                       o.source_pad_token_id == o.target_pad_token_id),
              "tie_word_embeddings: '", o.tie_word_embeddings,
              "' expects one vocabulary (target_vocab_size as source_vocab_size), got source "
              "and target of ",
              o.source_vocab_size, " and ", o.target_vocab_size, " tokens with padding ",
              o.source_pad_token_id, " and ", o.target_pad_token_id);
  check_usage(o.source_mel_bins == 0 || !shares_embedding(o),
              "tie_word_embeddings: a source that is a sound has no embedding to share, got '",
              o.tie_word_embeddings, "'");
  TransformerOptions transformer = o.transformer;
  if (o.architecture == "rnn") transformer.num_heads = 1;
  check(transformer);
}

EncoderDecoder::EncoderDecoder(const EncoderDecoderOptions& options) : options_(options) {
  check(options);
  const TransformerOptions& o = options.transformer;
  TokenInputOptions input = side_options(o);
  if (is_recurrent()) input.positions = "none";  // it reads the tokens one after the other
  if (options.source_mel_bins > 0) {
    sound_ = register_module("sound", std::make_shared<SoundInput>(SoundInputOptions{
                                          .num_mel_bins = options.source_mel_bins,
                                          .d_model = o.d_model,
                                          .max_length = options.source_positions}));
  } else {
    input.vocab_size = options.source_vocab_size;
    input.pad_token_id = options.source_pad_token_id;
    source_ = register_module("source", std::make_shared<TokenInput>(input));
  }
  input.vocab_size = options.target_vocab_size;
  input.pad_token_id = options.target_pad_token_id;
  target_ = register_module("target",
                            std::make_shared<TokenInput>(
                                input, shares_embedding(options) ? source_->embedding : nullptr));

  if (is_recurrent()) {
    make_recurrent();
  } else {
    make_transformers();
  }
  if (options.logit_bias) {
    // A constant of published models.
    logit_bias_ = register_parameter("logit_bias", at::zeros({options.target_vocab_size}),
                                     /*requires_grad=*/false);
  }
  if (options.tie_word_embeddings == "none" || options.tie_word_embeddings == "inputs") {
    output_ = register_module(
        "output", std::make_shared<nn::Linear>(nn::LinearOptions{
                      .in = o.d_model, .out = options.target_vocab_size, .bias = false}));
  }
  nn::init_linear_layers(*this, nn::init_from(o.init));
}

int64_t EncoderDecoder::decoder_layers() const {
  return options_.num_decoder_layers > 0 ? options_.num_decoder_layers
                                         : options_.transformer.num_layers;
}

void EncoderDecoder::make_transformers() {
  const TransformerOptions& o = options_.transformer;
  nn::LayerOptions layer = layer_options(o);
  encoder_ = register_module("encoder", std::make_shared<nn::Encoder>(o.num_layers, layer));
  layer.d_memory = o.d_model;
  layer.details.attention.only_before = true;
  if (options_.num_decoder_heads > 0) layer.num_heads = options_.num_decoder_heads;
  if (options_.decoder_d_ff > 0) layer.d_ff = options_.decoder_d_ff;
  decoder_ = register_module("decoder", std::make_shared<nn::Decoder>(decoder_layers(), layer));
}

void EncoderDecoder::make_recurrent() {
  const TransformerOptions& o = options_.transformer;
  recurrent_encoder_ = register_module(
      "encoder",
      std::make_shared<nn::RecurrentEncoder>(nn::RecurrentEncoderOptions{.d_model = o.d_model,
                                                                         .num_layers = o.num_layers,
                                                                         .cell = options_.rnn.cell,
                                                                         .dropout = o.dropout}));
  recurrent_decoder_ =
      register_module("decoder", std::make_shared<nn::RecurrentDecoder>(nn::RecurrentDecoderOptions{
                                     .d_model = o.d_model,
                                     .d_memory = 2 * o.d_model,
                                     .num_layers = decoder_layers(),
                                     .cell = options_.rnn.cell,
                                     .attention = options_.rnn.attention,
                                     .input_feeding = options_.rnn.input_feeding,
                                     .dropout = o.dropout,
                                     .attention_dropout = o.attention_dropout}));
}

nn::Memory EncoderDecoder::encode(const at::Tensor& frames, nn::AttentionTrace* trace) const {
  check_usage(sound_ != nullptr, "encoder-decoder: this one reads texts, not sounds");
  const at::Tensor x =
      heed::dropout(sound_->forward(frames),
                    {.probability = is_training() ? options_.transformer.embedding_dropout : 0});
  return {.states = encoder_->forward(x, Pattern::full(), trace)};
}

nn::Memory EncoderDecoder::encode(const TextBatch& source, nn::AttentionTrace* trace) const {
  check_usage(source_ != nullptr, "encoder-decoder: this one reads sounds, not texts");
  if (is_recurrent()) {
    return recurrent_encoder_->forward(source_->forward(source.ids), source.lengths);
  }
  return {.states = encoder_->forward(source_->forward(source.ids), Pattern::full(), trace,
                                      source.lengths),
          .lengths = source.lengths};
}

at::Tensor EncoderDecoder::states(const TextBatch& target,
                                  const nn::DecoderContext& context) const {
  nn::DecoderContext all = context;
  all.lengths = target.lengths;
  const nn::TokenPositions positions =
      context.cache != nullptr ? context.cache->positions() : nn::TokenPositions{};
  const at::Tensor input = target_->forward(target.ids, positions);
  return is_recurrent() ? recurrent_decoder_->forward(input, all) : decoder_->forward(input, all);
}

at::Tensor EncoderDecoder::logits(const at::Tensor& states) const {
  const at::Tensor scaled = options_.logit_scale != 1 ? states * options_.logit_scale : states;
  if (!output_) return heed::linear(scaled, target_->embedding->weight, logit_bias_);
  const at::Tensor logits = output_->forward(scaled);
  return logit_bias_.defined() ? logits + logit_bias_ : logits;
}

at::Tensor EncoderDecoder::forward(const TextBatch& source, const TextBatch& target,
                                   nn::AttentionTrace* trace) const {
  return decode(target, encode(source, trace), trace);
}

at::Tensor EncoderDecoder::decode(const TextBatch& target, const nn::Memory& memory,
                                  nn::AttentionTrace* trace) const {
  return logits(states(target, {.memory = &memory, .trace = trace}));
}

at::Tensor EncoderDecoder::decode(const TextBatch& target, const nn::Memory& memory,
                                  nn::DecoderCache& cache, nn::AttentionTrace* trace) const {
  const c10::AutoGradMode no_gradients(false);
  return logits(states(target, {.memory = &memory, .cache = &cache, .trace = trace}));
}

at::Tensor EncoderDecoder::next(const TextBatch& target, const nn::Memory& memory,
                                nn::DecoderCache& cache, nn::AttentionTrace* trace) const {
  const c10::AutoGradMode no_gradients(false);
  const at::Tensor all = states(target, {.memory = &memory, .cache = &cache, .trace = trace});
  return logits(last_token(all, target.lengths));
}

}  // namespace heed::models
