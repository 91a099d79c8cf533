// Small helpers of the tests of this folder.
#pragma once

#include <ATen/ATen.h>

namespace heed::nn {

// The largest absolute difference.
inline double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

}  // namespace heed::nn
