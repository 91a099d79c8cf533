// A stack of encoder layers.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "heed/nn/transformer/encoder_layer.h"

namespace heed::nn {

class Encoder : public torch::nn::Module {
 public:
  // `count` layers; with pre-norm, one more norm after the last.
  Encoder(int64_t count, const LayerOptions& options);

  // (B, N, C) -> (B, N, C). The pattern is joined with that of the options. `lengths` (B) int64:
  // the real tokens of each row (undefined: all), which alone see each other. What stands behind
  // them is not read, and the layers do nothing for it, on a CPU, where it is more than a little
  // (packed_rows.h); what comes out there has no meaning.
  at::Tensor forward(const at::Tensor& input, const Pattern& pattern = {},
                     AttentionTrace* trace = nullptr, const at::Tensor& lengths = {}) const;

  std::vector<std::shared_ptr<EncoderLayer>> layers;
  Norm final_norm;  // none with post-norm
};

}  // namespace heed::nn
