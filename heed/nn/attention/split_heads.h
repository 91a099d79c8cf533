// From the joint projection of a self-attention layer to the heads of attention, with rotary
// positions on the way, in one pass in each direction.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "heed/nn/attention/rotary.h"

namespace heed::nn {

class PackedRows;

struct HeadCounts {
  int64_t query = 1;  // H
  int64_t key = 1;    // Hk
  int64_t size = 0;   // D
};

struct Heads {
  at::Tensor query;  // (B, H, N, D)
  at::Tensor key;    // (B, Hk, N, D)
  at::Tensor value;  // (B, Hk, N, D)
};

// projected (B, N, (H + 2 · Hk) · D), all queries first, then the keys, then the values -> views of
// it. With angles, queries and keys are rotated in place: the projection must belong to the caller
// alone, and be of no further use to it. The gradients of the three come together in one buffer.
// With `packed` the projection is that of its tokens, (1, T, …), and the heads are views of a copy
// in rows (B, N, …).
Heads split_heads(const at::Tensor& projected, const HeadCounts& counts,
                  const std::optional<Rotary::Angles>& angles = {},
                  const PackedRows* packed = nullptr);

}  // namespace heed::nn
