#include "heed/models/parts/token_input.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "heed/base/error.h"
#include "heed/nn/parameters/init.h"
#include "heed/ops/dropout.h"

namespace heed::models {
namespace {

constexpr double kSmall = 1e-4;

// Of the vectors of tokens, positions and types.
int64_t table_width(const TokenInputOptions& options) {
  return options.details.d_embedding > 0 ? options.details.d_embedding : options.d_model;
}

}  // namespace

std::shared_ptr<nn::Embedding> make_embedding(const TokenInputOptions& options) {
  auto embedding = std::make_shared<nn::Embedding>(nn::EmbeddingOptions{
      .num_embeddings = options.vocab_size,
      .embedding_dim = table_width(options),
      .padding_idx = options.pad_token_id,
      .scale = options.scale,
      .std = options.embedding_std,
  });
  if (options.small_embedding && nn::init_is_on()) {
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
  const InputDetails& details = options.details;
  const int64_t width = table_width(options);
  if (!embedding) embedding = register_module("embedding", make_embedding(options));
  positions =
      make_positions(options.positions, {.max_length = options.max_length + details.position_offset,
                                         .d_model = width,
                                         .offset = details.position_offset,
                                         .halves = details.sinusoid_halves});
  if (positions) register_module("positions", positions);
  if (options.small_embedding) norm = nn::Norm(*this, "norm", {.d_model = options.d_model});
  if (details.token_types > 0) {
    types = register_module("types", std::make_shared<nn::Embedding>(
                                         nn::EmbeddingOptions{.num_embeddings = details.token_types,
                                                              .embedding_dim = width,
                                                              .std = options.embedding_std}));
  }
  if (details.norm) {
    nn::Norm::Options sum = options.norm;
    sum.d_model = width;
    sum_norm = nn::Norm(*this, "sum_norm", sum);
  }
  if (details.d_embedding > 0) {
    projection = register_module("projection", std::make_shared<nn::Linear>(nn::LinearOptions{
                                                   .in = width, .out = options.d_model}));
  }
}

at::Tensor TokenInput::with_types(const at::Tensor& x, const at::Tensor& kinds) const {
  if (!types) {
    check_usage(!kinds.defined(), "token types: expected none, for this model has none");
    return x;
  }
  return x + (kinds.defined() ? types->forward(kinds) : types->weight[0]);
}

at::Tensor TokenInput::forward(const at::Tensor& ids, const nn::TokenPositions& at,
                               const at::Tensor& kinds) const {
  at::Tensor x = norm.forward(embedding->forward(ids));
  x = with_types(x, kinds);
  if (positions) x = positions->forward(x, at);
  x = heed::dropout(sum_norm.forward(x), {.probability = is_training() ? options_.dropout : 0});
  return projection ? projection->forward(x) : x;
}

}  // namespace heed::models
