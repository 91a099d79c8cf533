// Where a token stands, added to what it is.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>

namespace heed::nn {

// The table of Vaswani et al. 2017, section 3.5:
//   P[n, 2i] = sin(n / 10000^(2i / C)),  P[n, 2i + 1] = cos(n / 10000^(2i / C)).
// Returns (length, width) float32.
at::Tensor sinusoidal_positions(int64_t length, int64_t width);

struct PositionsOptions {
  int64_t longest = 0;  // the most positions that will be asked for
  int64_t width = 0;    // C
};

// Sinusoidal positions: not learned, and not stored with the model, since they can be computed.
class SinusoidalPositions : public torch::nn::Module {
 public:
  explicit SinusoidalPositions(const PositionsOptions& options);

  // (B, N, C) -> (B, N, C), position n added to each row n. Throws UsageError where N is larger
  // than options.longest.
  at::Tensor forward(const at::Tensor& input) const;

 private:
  at::Tensor table_;  // (longest, C)
};

}  // namespace heed::nn
