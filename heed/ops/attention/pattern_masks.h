// The patterns as boolean tensors, by tensor operations: the plain version of each kind, for any
// device. All results broadcast to (B, H, Nq, Nk).
#pragma once

#include "heed/ops/attention/pattern_node.h"

namespace heed::pattern_masks {

using Leaf = PatternLeaf;
using Sizes = Pattern::Sizes;

at::Tensor causal(const Leaf& leaf, const Sizes& sizes, at::Device device);
at::Tensor window(const Leaf& leaf, const Sizes& sizes, at::Device device);
at::Tensor dilated(const Leaf& leaf, const Sizes& sizes, at::Device device);
at::Tensor global_tokens(const Leaf& leaf, const Sizes& sizes, at::Device device);
at::Tensor prefix_lm(const Leaf& leaf, const Sizes& sizes, at::Device device);
at::Tensor block_sparse(const Leaf& leaf, const Sizes& sizes, at::Device device);
at::Tensor graph(const Leaf& leaf, const Sizes& sizes, at::Device device);
at::Tensor packed(const Leaf& leaf, const Sizes& sizes, at::Device device);
at::Tensor padded(const Leaf& leaf, const Sizes& sizes, at::Device device);
at::Tensor padded_both(const Leaf& leaf, const Sizes& sizes, at::Device device);
at::Tensor mask(const Leaf& leaf, const Sizes& sizes, at::Device device);

}  // namespace heed::pattern_masks
