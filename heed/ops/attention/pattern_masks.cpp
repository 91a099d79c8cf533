#include "heed/ops/attention/pattern_masks.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace heed::pattern_masks {
namespace {

at::Tensor indices(int64_t count, at::Device device) {
  return at::arange(count, at::TensorOptions(at::kLong).device(device));
}

// p(i) as a column (Nq, 1).
at::Tensor positions(const Leaf& leaf, const Sizes& sizes, at::Device device) {
  return (indices(sizes.queries, device) + query_offset(leaf, sizes)).unsqueeze(1);
}

at::Tensor window_of(const Leaf& leaf, int64_t dilation, const Sizes& sizes, at::Device device) {
  const int64_t left = leaf.numbers[0];
  const int64_t right = leaf.numbers[1];
  const auto distance = indices(sizes.keys, device) - positions(leaf, sizes, device);
  auto allowed = at::ones_like(distance, at::kBool);
  if (left >= 0) allowed = allowed & (distance >= -left * dilation);
  if (right >= 0) allowed = allowed & (distance <= right * dilation);
  if (dilation != 1) allowed = allowed & (distance.remainder(dilation) == 0);
  return allowed;
}

// A table of bool as 0 and 1: every other byte is true too, but not to all of torch's operators.
at::Tensor truths(const at::Tensor& table, at::Device device) {
  return table.to(device).view(at::kByte) != 0;
}

// (B) or (1) -> (B or 1, 1, 1, 1) on the device.
at::Tensor by_batch(const at::Tensor& lengths, at::Device device) {
  return lengths.to(device).view({-1, 1, 1, 1});
}

// The number of the sequence that each of `count` positions belongs to; positions behind the last
// offset get `nowhere`.
at::Tensor sequence_of(const at::Tensor& offsets, int64_t count, int64_t nowhere) {
  const auto position = indices(count, offsets.device());
  const auto sequence = at::searchsorted(offsets, position, /*out_int32=*/false, /*right=*/true);
  return at::where(position < offsets[-1], sequence, at::full_like(sequence, nowhere));
}

}  // namespace

at::Tensor causal(const Leaf& leaf, const Sizes& sizes, at::Device device) {
  return indices(sizes.keys, device) <= positions(leaf, sizes, device);
}

at::Tensor window(const Leaf& leaf, const Sizes& sizes, at::Device device) {
  return window_of(leaf, 1, sizes, device);
}

at::Tensor dilated(const Leaf& leaf, const Sizes& sizes, at::Device device) {
  return window_of(leaf, leaf.numbers[2], sizes, device);
}

at::Tensor global_tokens(const Leaf& leaf, const Sizes& sizes, at::Device device) {
  const int64_t count = leaf.numbers[0];
  return (indices(sizes.keys, device) < count) | (positions(leaf, sizes, device) < count);
}

at::Tensor prefix_lm(const Leaf& leaf, const Sizes& sizes, at::Device device) {
  return (indices(sizes.keys, device) < by_batch(leaf.tensors[0], device)) |
         causal(leaf, sizes, device);
}

at::Tensor block_sparse(const Leaf& leaf, const Sizes& sizes, at::Device device) {
  return truths(leaf.tensors[0], device)
      .repeat_interleave(std::min(leaf.numbers[0], std::max<int64_t>(sizes.queries, 1)), 2)
      .repeat_interleave(std::min(leaf.numbers[1], std::max<int64_t>(sizes.keys, 1)), 3)
      .slice(2, 0, sizes.queries)
      .slice(3, 0, sizes.keys);
}

at::Tensor graph(const Leaf& leaf, const Sizes& sizes, at::Device device) {
  const auto offsets = leaf.tensors[0].to(device);
  const auto columns = leaf.tensors[1].to(device);
  const auto rows = at::repeat_interleave(offsets.slice(0, 1) - offsets.slice(0, 0, -1));
  auto allowed =
      at::zeros({sizes.queries * sizes.keys}, at::TensorOptions(at::kBool).device(device));
  allowed.index_fill_(0, rows * sizes.keys + columns, true);
  return allowed.view({sizes.queries, sizes.keys});
}

at::Tensor packed(const Leaf& leaf, const Sizes& sizes, at::Device device) {
  const auto queries = sequence_of(leaf.tensors[0].to(device), sizes.queries, -1);
  const auto keys = sequence_of(leaf.tensors[1].to(device), sizes.keys, -2);
  return queries.unsqueeze(1) == keys;
}

at::Tensor padded(const Leaf& leaf, const Sizes& sizes, at::Device device) {
  return indices(sizes.keys, device) < by_batch(leaf.tensors[0], device);
}

at::Tensor padded_both(const Leaf& leaf, const Sizes& sizes, at::Device device) {
  return padded(leaf, sizes, device) &
         (indices(sizes.queries, device).unsqueeze(1) < by_batch(leaf.tensors[1], device));
}

at::Tensor mask(const Leaf& leaf, const Sizes&, at::Device device) {
  return truths(leaf.tensors[0], device);
}

}  // namespace heed::pattern_masks
