// What stands on a transformer and gives the answer: from the states of tokens to logits.
//
//   states (B, N, C) -> all, the first, the last or the mean of the real tokens
//                    -> [dropout -> dense -> activation -> norm] -> dropout -> output
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>

#include "heed/nn/layers/embedding.h"
#include "heed/nn/layers/linear.h"
#include "heed/nn/layers/norm.h"

namespace heed::models {

enum class Pooling : uint8_t { kNone, kFirst, kLast, kMean, kMax };

// (B, N, C) -> (B, C), over the first lengths[b] tokens of each row, or all where undefined; kNone:
// the states themselves.
at::Tensor pooled(const at::Tensor& states, const at::Tensor& lengths, Pooling pooling);

struct HeadOptions {
  int64_t d_model = 0;  // C
  Pooling pooling = Pooling::kNone;
  double inner_dropout = 0;
  int64_t d_inner = 0;  // of the dense layer; 0: none
  bool inner_bias = true;
  std::string activation = "tanh";  // of the dense layer; or as nn::Linear knows it
  bool inner_norm = false;          // behind it
  nn::Norm::Options norm = {};      // all but the width
  int64_t outputs = 0;              // 0: what comes before is the answer
  bool output_bias = true;
  bool tied = false;  // the output layer is the embedding of the tokens
  double dropout = 0;
};

class Head : public torch::nn::Module {
 public:
  // `tokens`: where tied.
  explicit Head(const HeadOptions& options, std::shared_ptr<nn::Embedding> tokens = nullptr);

  // -> (B, N, outputs), pooled (B, outputs).
  at::Tensor forward(const at::Tensor& states, const at::Tensor& lengths) const;

  const HeadOptions& options() const { return options_; }

  std::shared_ptr<nn::Linear> dense;
  nn::Norm norm;
  std::shared_ptr<nn::Linear> output;  // null: tied, or none
  at::Tensor output_bias;              // (outputs), where tied

 private:
  HeadOptions options_;
  std::shared_ptr<nn::Embedding> tokens_;
};

}  // namespace heed::models
