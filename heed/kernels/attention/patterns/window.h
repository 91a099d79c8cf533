// Patterns by the distance j − p(i) of key j from the position p(i) = i + query_offset of query i.
#pragma once

#include "heed/kernels/attention/patterns/pattern.h"

namespace heed::kernels {

struct Window {
  int64_t left = -1;  // in steps of `dilation`; −1: unlimited
  int64_t right = -1;
  int64_t dilation = 1;
  int64_t query_offset = 0;
};

// Keys p(i) + t · dilation with −left <= t <= right. Causal is {.right = 0}.
PatternPtr window_pattern(const Window& window);

}  // namespace heed::kernels
