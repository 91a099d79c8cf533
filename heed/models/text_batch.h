// Token ids of several texts as one tensor.
#pragma once

#include <ATen/core/Tensor.h>

namespace heed::models {

// Padded to the longest of them.
struct TextBatch {
  at::Tensor ids;           // (B, N) int64, padding behind each text
  at::Tensor lengths = {};  // (B) int64, real tokens of each text; undefined: all N
};

}  // namespace heed::models
