// The way into a transformer: ids -> vectors with positions.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>

#include "heed/models/parts/input_details.h"
#include "heed/nn/attention/positions.h"
#include "heed/nn/layers/embedding.h"
#include "heed/nn/layers/linear.h"
#include "heed/nn/layers/norm.h"

namespace heed::models {

struct TokenInputOptions {
  int64_t vocab_size = 0;  // V
  int64_t d_model = 0;     // C
  int64_t max_length = 0;
  int64_t pad_token_id = -1;             // −1: none
  std::string positions = "sinusoidal";  // those that are not added here add nothing
  double embedding_std = 0.02;           // of the embedding at the start
  double scale = 1;                      // of the embedding, before the positions
  double dropout = 0;
  bool small_embedding = false;  // start at U(−10⁻⁴, 10⁻⁴), with a norm behind
  InputDetails details = {};
  nn::Norm::Options norm = {};  // where the details want one
};

// The embedding as these options start it.
std::shared_ptr<nn::Embedding> make_embedding(const TokenInputOptions& options);

// The table that positions of this kind add to the vectors of `max_length` positions; null where
// they add nothing here.
std::shared_ptr<nn::PositionTable> make_positions(const std::string& kind,
                                                  const nn::PositionsOptions& options);

class TokenInput : public torch::nn::Module {
 public:
  // With an `embedding`, that one is used, and is registered where it was made.
  explicit TokenInput(const TokenInputOptions& options,
                      std::shared_ptr<nn::Embedding> embedding = nullptr);

  // ids (B, N) int64 -> (B, N, C). Types (B, N) int64, of options that have some; undefined: all 0.
  at::Tensor forward(const at::Tensor& ids, const nn::TokenPositions& at = {},
                     const at::Tensor& types = {}) const;

  std::shared_ptr<nn::Embedding> embedding;
  std::shared_ptr<nn::PositionTable> positions;  // null: none are added
  nn::Norm norm;                                 // of a small embedding
  std::shared_ptr<nn::Embedding> types;          // null: tokens have none
  nn::Norm sum_norm;                             // of the sum of all; usually none
  std::shared_ptr<nn::Linear> projection;        // to C; null: the vectors are that wide

 private:
  at::Tensor with_types(const at::Tensor& x, const at::Tensor& kinds) const;

  TokenInputOptions options_;
};

}  // namespace heed::models
