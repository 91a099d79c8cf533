// Where a token stands, added to what it is. (Positions inside attention: rotary.h, distance.h.)
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "heed/nn/attention/token_positions.h"

namespace heed::nn {

class GrowingTable;

// The table of Vaswani et al. 2017, section 3.5:
//   P[n, 2i] = sin(n / 10000^(2i / C)),  P[n, 2i + 1] = cos(n / 10000^(2i / C)).
// With halves, all sines come first, then all cosines. Returns (length, d_model) float32.
at::Tensor sinusoidal_positions(int64_t length, int64_t d_model, bool halves = false);

struct PositionsOptions {
  int64_t max_length = 0;  // the most positions that will be asked for
  int64_t d_model = 0;     // C
  int64_t offset = 0;      // of learned ones: rows at the start that stand for no position
  bool halves = false;     // sinusoidal: all sines, then all cosines
};

// A vector for each position.
class PositionTable : public torch::nn::Module {
 public:
  explicit PositionTable(const PositionsOptions& options)
      : longest_(options.max_length - options.offset) {}

  // (B, N, C) -> (B, N, C), the vector of its position added to each token. Throws UsageError where
  // a position is not below options.max_length.
  at::Tensor forward(const at::Tensor& input, const TokenPositions& positions = {}) const;

 private:
  // At least the first `rows` vectors, (rows or more, C).
  virtual at::Tensor first(int64_t rows, at::Device device) const = 0;

  int64_t longest_;
};

// Sinusoidal positions: not learned, and not stored with the model, since they can be computed.
class SinusoidalPositions : public PositionTable {
 public:
  explicit SinusoidalPositions(const PositionsOptions& options);

 private:
  at::Tensor first(int64_t rows, at::Device device) const override;

  std::shared_ptr<const GrowingTable> table_;
};

// Learned positions, from N(0, 0.02²).                                       Gehring et al. 2017
class LearnedPositions : public PositionTable {
 public:
  explicit LearnedPositions(const PositionsOptions& options);

  at::Tensor table;  // (max_length, C)

 private:
  at::Tensor first(int64_t /*rows*/, at::Device /*device*/) const override;

  int64_t offset_;
};

}  // namespace heed::nn
