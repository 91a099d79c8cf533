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

#include "heed/nn/embedding.h"
#include "heed/nn/encoder.h"
#include "heed/nn/linear.h"
#include "heed/nn/positions.h"

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
  std::string norm = "post";        // or "pre"
  std::string activation = "relu";  // or "gelu"
  std::string initialisation = "xavier_uniform";
  double embedding_deviation = 0.02;
  double dropout = 0.1;
  double attention_dropout = 0.1;
  double embedding_dropout = 0.1;
};

// Throws UsageError naming the field that cannot be used.
void check(const TextClassifierOptions& options);

// Token ids of several texts, padded to the longest of them.
struct TextBatch {
  at::Tensor ids;      // (B, N) int64, padding_id behind each text
  at::Tensor lengths;  // (B) int64, real tokens of each text
};

class TextClassifier : public torch::nn::Module {
 public:
  explicit TextClassifier(const TextClassifierOptions& options);

  // Logits (B, classes). What stands in the padding, and how much of it there is, has no influence.
  at::Tensor forward(const TextBatch& batch, nn::AttentionTrace* trace = nullptr) const;

  const TextClassifierOptions& options() const { return options_; }

 private:
  TextClassifierOptions options_;
  std::shared_ptr<nn::Embedding> embedding_;
  std::shared_ptr<nn::SinusoidalPositions> positions_;
  std::shared_ptr<nn::Encoder> encoder_;
  std::shared_ptr<nn::Linear> classifier_;
};

}  // namespace heed::models
