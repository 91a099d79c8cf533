// What each new token of a decoder may attend to: the tokens before it in its own row.
#pragma once

#include <cstdint>

#include "heed/nn/attention/token_positions.h"
#include "heed/ops/pattern.h"

namespace heed::nn {

struct NewTokens {
  Pattern own;                    // of the model, joined with the causal one
  TokenPositions positions = {};  // where they go
  int64_t batch = 0;              // B
  int64_t count = 0;              // N, of each row
  at::Tensor lengths = {};        // (B) int64, the real ones of each row; undefined: all N
};

// Of (N, end_of(positions, N)) pairs. Rows that start at different positions have a mask for each
// row, since window and distance count from where the row is.
Pattern decoder_pattern(const NewTokens& tokens);

}  // namespace heed::nn
