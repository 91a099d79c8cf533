#include "heed/models/parts/token_input.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "heed/ops/dropout.h"

namespace heed::models {
namespace {

constexpr double kSmall = 1e-4;

}  // namespace

std::shared_ptr<nn::Embedding> make_embedding(const TokenInputOptions& options) {
  auto embedding = std::make_shared<nn::Embedding>(nn::EmbeddingOptions{
      .num_embeddings = options.vocab_size,
      .embedding_dim = options.d_model,
      .padding_idx = options.pad_token_id,
      .scale = options.scale,
      .std = options.embedding_std,
  });
  if (options.small_embedding) {
    const c10::AutoGradMode no_gradients(false);
    embedding->weight.uniform_(-kSmall, kSmall);
    if (options.pad_token_id >= 0) embedding->weight[options.pad_token_id].zero_();
  }
  return embedding;
}

std::shared_ptr<nn::PositionTable> make_positions(const std::string& kind,
                                                  const nn::PositionsOptions& options) {
  if (kind == "sinusoidal") return std::make_shared<nn::SinusoidalPositions>(options);
  if (kind == "learned") return std::make_shared<nn::LearnedPositions>(options);
  return nullptr;
}

TokenInput::TokenInput(const TokenInputOptions& options, std::shared_ptr<nn::Embedding> shared)
    : embedding(std::move(shared)), options_(options) {
  if (!embedding) embedding = register_module("embedding", make_embedding(options));
  positions = make_positions(options.positions,
                             {.max_length = options.max_length, .d_model = options.d_model});
  if (positions) register_module("positions", positions);
  if (options.small_embedding) norm = nn::Norm(*this, "norm", {.d_model = options.d_model});
}

at::Tensor TokenInput::forward(const at::Tensor& ids, const nn::TokenPositions& at) const {
  at::Tensor x = norm.forward(embedding->forward(ids));
  if (positions) x = positions->forward(x, at);
  return heed::dropout(x, {.probability = is_training() ? options_.dropout : 0});
}

}  // namespace heed::models
