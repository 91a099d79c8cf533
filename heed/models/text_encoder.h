// An encoder alone: a vector for each token that depends on all others.     Devlin et al. 2019
//
//   ids (B, N) -> embedding + positions + types (B, N, C) -> encoder (B, N, C)
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "heed/models/parts/text_batch.h"
#include "heed/models/parts/transformer_options.h"
#include "heed/nn/encoder.h"

namespace heed::models {

class TokenInput;

struct TextEncoderOptions {
  int64_t vocab_size = 0;     // V
  int64_t pad_token_id = -1;  // −1: none
  TransformerOptions transformer = {.norm_first = false, .init = "small_normal"};
};

// Throws UsageError naming the field that cannot be used.
void check(const TextEncoderOptions& options);

class TextEncoder : public torch::nn::Module {
 public:
  explicit TextEncoder(const TextEncoderOptions& options);

  // (B, N) -> (B, N, C); what stands behind the real tokens of a text has no meaning.
  at::Tensor forward(const TextBatch& batch, nn::AttentionTrace* trace = nullptr) const;

  const TextEncoderOptions& options() const { return options_; }

  std::shared_ptr<TokenInput> input;
  std::shared_ptr<nn::Encoder> encoder;

 private:
  TextEncoderOptions options_;
};

}  // namespace heed::models
