// The way into a transformer for sounds: energies -> vectors with positions, one for two
// frames.
//                                                                  Radford et al. 2023, section 2.2
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "heed/nn/attention/positions.h"

namespace heed::models {

struct SoundInputOptions {
  int64_t num_mel_bins = 0;  // M
  int64_t d_model = 0;       // C
  int64_t max_length = 0;    // vectors, at most
};

class SoundInput : public torch::nn::Module {
 public:
  explicit SoundInput(const SoundInputOptions& options);

  // (B, T, M) -> (B, ⌈T / 2⌉, C): two convolutions over time, the second with a step of two, GELU
  // behind both, and learned positions. Throws UsageError for another number of bands, and where
  // that is longer than max_length.
  at::Tensor forward(const at::Tensor& frames) const;

  static constexpr int64_t kKernel = 3;

  at::Tensor first_weight, first_bias;              // (C, M, 3), (C)
  at::Tensor second_weight, second_bias;            // (C, C, 3), (C)
  std::shared_ptr<nn::LearnedPositions> positions;  // sinusoids in the file: they do not learn
};

}  // namespace heed::models
