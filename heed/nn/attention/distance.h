// Positions inside attention: a bias on the scores that depends on the distance of the two tokens.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace heed::nn {

// The slopes of ALiBi (Press et al. 2022, section 3): for H a power of two 2^(−8h / H), h = 1 .. H;
// otherwise those of the power of two below H, then every other one of the power of two above, as
// in the authors' program. Returns (H) float32.
at::Tensor alibi_slopes(int64_t heads);

}  // namespace heed::nn
