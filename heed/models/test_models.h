// Small models and helpers of the tests of this folder.
#pragma once

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <torch/nn/module.h>

#include "heed/models/transformer_options.h"

namespace heed::models {

// The largest absolute difference.
inline double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

inline TransformerOptions small_transformer(const nn::AttentionSettings& attention) {
  return {.width = 32,
          .heads = 4,
          .layers = 2,
          .hidden = 48,
          .longest = 64,
          .attention = attention,
          .dropout = 0,
          .attention_dropout = 0,
          .embedding_dropout = 0};
}

// Random values in place of what starts small or at zero, so that nothing is lost among them.
inline void spread_parameters(torch::nn::Module& module) {
  const c10::AutoGradMode no_gradients(false);
  for (auto& parameter : module.parameters()) {
    parameter.add_(at::randn(parameter.sizes()) * (parameter.dim() == 2 ? 0.15 : 0.3));
  }
}

}  // namespace heed::models
