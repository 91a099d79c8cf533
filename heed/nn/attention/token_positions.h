// Where the tokens of an input stand in their sequences.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace heed::nn {

// Token n of row b stands at position start + n, or at starts[b] + n where rows differ.
struct TokenPositions {
  int64_t start = 0;
  at::Tensor starts = {};  // (B) int64 in CPU memory, or undefined
};

// The position behind the last token of N: for tables that must reach so far.
int64_t end_of(const TokenPositions& positions, int64_t length);

// (N) or, where rows differ, (B, N): int64 on `device`.
at::Tensor positions_of(const TokenPositions& positions, int64_t length, at::Device device);

}  // namespace heed::nn
