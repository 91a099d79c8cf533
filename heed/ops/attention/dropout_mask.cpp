#include "heed/ops/attention/dropout_mask.h"

#include <ATen/ATen.h>

#include "heed/kernels/vector/dropout.h"

namespace heed {
namespace {

using kernels::DropoutAxis;

// The keys of all heads, (B · H, count) of int64 holding 32 bits each.
at::Tensor keys_of(DropoutAxis axis, const Pattern::Sizes& sizes, int64_t count,
                   const kernels::Dropout& dropout) {
  std::vector<uint32_t> keys(count);
  const int64_t planes = sizes.batch * sizes.heads;
  auto result = at::empty({planes, count}, at::kLong);
  int64_t* out = result.data_ptr<int64_t>();
  for (int64_t plane = 0; plane < planes; ++plane) {
    kernels::fill_dropout_keys(dropout.seed, kernels::dropout_head(dropout, plane, sizes.heads),
                               axis, count, keys.data());
    out = std::copy(keys.begin(), keys.end(), out);
  }
  return result;
}

// kernels::dropout_mix in tensor operations: 32-bit arithmetic in int64.
at::Tensor mixed(const at::Tensor& query_keys, const at::Tensor& key_keys) {
  constexpr int64_t kLow = 0xffffffff;
  auto x = query_keys.unsqueeze(2).bitwise_xor(key_keys.unsqueeze(1));
  x = (x * int64_t{0x9e3779b1}).bitwise_and(kLow);
  x = x.bitwise_xor(at::bitwise_right_shift(x, 15));
  return (x * int64_t{0x85ebca77}).bitwise_and(kLow);
}

}  // namespace

kernels::Dropout kernel_dropout(const AttentionOptions& options) {
  return {.probability = options.dropout,
          .seed = options.dropout_seed,
          .first_head = options.dropout_heads.first,
          .all_heads = options.dropout_heads.whole};
}

at::Tensor dropout_factors(const Pattern::Sizes& sizes, const AttentionOptions& options,
                           at::ScalarType type, at::Device device) {
  const kernels::Dropout dropout = kernel_dropout(options);
  const auto bits = mixed(keys_of(DropoutAxis::kQuery, sizes, sizes.queries, dropout).to(device),
                          keys_of(DropoutAxis::kKey, sizes, sizes.keys, dropout).to(device));
  const auto kept = bits >= static_cast<int64_t>(kernels::dropout_threshold(dropout.probability));
  return (kept.to(type) * (1 / (1 - dropout.probability)))
      .view({sizes.batch, sizes.heads, sizes.queries, sizes.keys});
}

}  // namespace heed
