// The classifier that tutorials draw:
//
//   ids (B, N) -> embedding (B, N, C) + positions -> encoder (B, N, C)
//              -> mean over the real tokens (B, C) -> linear -> logits (B, classes)
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>

#include "heed/models/text_batch.h"
#include "heed/models/token_input.h"
#include "heed/nn/encoder.h"
#include "heed/nn/linear.h"

namespace heed::models {

struct TextClassifierOptions {
  int64_t vocabulary = 10'000;  // V
  int64_t classes = 2;
  int64_t width = 256;  // C
  int64_t heads = 4;    // H
  int64_t layers = 1;
  int64_t hidden = 1024;  // of the feed-forward parts
  int64_t longest = 512;  // tokens; longer texts are cut
  int64_t padding_id = 0;
  nn::AttentionSettings attention = {};
  std::string norm = "post";        // where it stands: or "pre"
  std::string norm_kind = "layer";  // or "rms"
  std::string activation = "relu";  // nn::feed_forward_kind_from
  std::string initialisation = "xavier_uniform";
  double embedding_deviation = 0.02;
  double dropout = 0.1;
  double attention_dropout = 0.1;
  double embedding_dropout = 0.1;
};

// Throws UsageError naming the field that cannot be used.
void check(const TextClassifierOptions& options);

class TextClassifier : public torch::nn::Module {
 public:
  explicit TextClassifier(const TextClassifierOptions& options);

  // Logits (B, classes). What stands in the padding, and how much of it there is, has no influence.
  at::Tensor forward(const TextBatch& batch, nn::AttentionTrace* trace = nullptr) const;

  const TextClassifierOptions& options() const { return options_; }

 private:
  TextClassifierOptions options_;
  std::shared_ptr<nn::Embedding> embedding_;
  std::shared_ptr<TokenInput> input_;
  std::shared_ptr<nn::Encoder> encoder_;
  std::shared_ptr<nn::Linear> classifier_;
};

}  // namespace heed::models
