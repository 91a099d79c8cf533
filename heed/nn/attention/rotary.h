// Rotary positions: queries and keys are rotated by an angle that grows with their position, so
// that their product depends on the distance alone.
// Su et al. 2021, eq. 34
//
// Pair i of a head is (x_i, x_{i + D/2}) ("half-split", as in Llama and GPT-NeoX), rotated at
// position n by the angle n · base^(−2i / D).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>

#include "heed/nn/attention/attention_details.h"
#include "heed/nn/attention/token_positions.h"

namespace heed::nn {

class GrowingTable;

struct RotaryOptions {
  int64_t size = 0;  // D, or the part of it that is rotated; even
  double base = 10'000;
  RotaryScaling scaling = {};
};

// The cosines and sines of a layer's angles; grows with the positions that are asked for. Safe to
// use from several threads.
class Rotary {
 public:
  explicit Rotary(const RotaryOptions& options);

  struct Angles {
    at::Tensor cosine;  // (N, D/2) or (B, N, D/2) float32, a row for each token
    at::Tensor sine;
  };
  // Of N tokens at these positions.
  Angles angles(const TokenPositions& positions, int64_t length, at::Device device) const;

 private:
  std::shared_ptr<const GrowingTable> cosine_;  // (positions, D/2)
  std::shared_ptr<const GrowingTable> sine_;
};

}  // namespace heed::nn
