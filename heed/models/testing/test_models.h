// Small models and helpers of the tests of this folder.
#pragma once

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <torch/nn/module.h>

#include <filesystem>
#include <string>

#include "heed/io/testing/test_files.h"
#include "heed/models/parts/transformer_options.h"

namespace heed::models {

// The largest absolute difference.
inline double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

inline TransformerOptions small_transformer(const nn::AttentionSettings& attention) {
  return {.d_model = 32,
          .num_heads = 4,
          .num_layers = 2,
          .d_ff = 48,
          .max_length = 64,
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

// In config.json of a saved model, where `from` must stand.
inline void replace_in_config(const std::filesystem::path& directory, const std::string& from,
                              const std::string& to) {
  std::string text = test::slurp(directory / "config.json");
  const size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from << " in " << text;
  test::spill(directory / "config.json", text.replace(at, from.size(), to));
}

}  // namespace heed::models
