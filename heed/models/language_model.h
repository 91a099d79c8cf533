// A decoder alone: each token is predicted from the ones before it.         Radford et al. 2019
//
//   ids (B, N) -> embedding + positions (B, N, C) -> decoder (B, N, C) -> logits (B, N, V)
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "heed/models/parts/text_batch.h"
#include "heed/models/parts/transformer_options.h"
#include "heed/nn/decoder.h"

namespace heed::models {

class TokenInput;

struct LanguageModelOptions {
  int64_t vocab_size = 0;  // V
  TransformerOptions transformer = {};
  bool tie_word_embeddings = true;  // the embedding is the output layer too (Press & Wolf 2017)
  double embedding_std = 0.02;
  double logit_softcap = 0;  // logits become softcap · tanh(logit / softcap); 0: none
};

template <nn::OptionsOf<LanguageModelOptions> Options, typename Visit>
void visit_fields(Options& o, const Visit& visit) {
  visit(nn::size_field("vocab_size"), o.vocab_size);
  visit(nn::Field{.name = "tie_word_embeddings",
                  .help = "Whether the output layer is the embedding; false: a layer of its own"},
        o.tie_word_embeddings);
  visit(nn::std_field(), o.embedding_std);
  visit_fields(o.transformer, visit);
}

// Learned positions, layer norm before each part, GELU by tanh, biases, tied: Radford et al. 2019.
// Sizes are those of the smallest GPT-2 (V 50,257, C 768, 12 layers, 1,024 tokens).
LanguageModelOptions gpt2_options();

// Rotary positions, RMS norm, SwiGLU, grouped heads, no biases: Touvron et al. 2023. Sizes are
// those of a small one (V 32,000, C 768, 12 layers, 12 heads of which 4 have keys).
LanguageModelOptions llama_options();

// Throws UsageError naming the field that cannot be used.
void check(const LanguageModelOptions& options);

class LanguageModel : public torch::nn::Module {
 public:
  explicit LanguageModel(const LanguageModelOptions& options);

  // Logits (B, N, V) of what follows each token.
  at::Tensor forward(const TextBatch& batch, nn::AttentionTrace* trace = nullptr) const;
  at::Tensor forward(const at::Tensor& ids) const { return forward(TextBatch{.ids = ids}); }

  // The same for tokens that follow those in the cache, which takes them up: logits of the new
  // positions. Rows may differ in length, in the batch and in the cache. No gradients.
  at::Tensor forward(const TextBatch& batch, nn::DecoderCache& cache,
                     nn::AttentionTrace* trace = nullptr) const;

  // Logits (B, V) of what follows the last real token of each row: what decoding needs.
  at::Tensor next(const TextBatch& batch, nn::DecoderCache& cache,
                  nn::AttentionTrace* trace = nullptr) const;

  // The two halves of forward: (B, N, C) before the output layer, and from there to logits.
  at::Tensor states(const TextBatch& batch, const nn::DecoderContext& context = {}) const;
  at::Tensor logits(const at::Tensor& states) const;

  const LanguageModelOptions& options() const { return options_; }

 private:
  LanguageModelOptions options_;
  std::shared_ptr<TokenInput> input_;
  std::shared_ptr<nn::Decoder> decoder_;
  std::shared_ptr<nn::Linear> output_;  // null where tied
};

}  // namespace heed::models
