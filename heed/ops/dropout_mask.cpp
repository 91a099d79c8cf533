#include "heed/ops/dropout_mask.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

namespace heed {
namespace {

uint64_t mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace

at::Tensor dropout_factors(const Pattern::Sizes& sizes, const AttentionOptions& options,
                           at::ScalarType type, at::Device device) {
  auto factors = at::empty({sizes.batch, sizes.heads, sizes.queries, sizes.keys}, at::kFloat);
  float* out = factors.data_ptr<float>();
  const float kept = static_cast<float>(1 / (1 - options.dropout));
  const auto threshold = static_cast<uint64_t>(options.dropout * 0x1p32);
  at::parallel_for(0, sizes.batch * sizes.heads * sizes.queries, 64,
                   [&](int64_t begin, int64_t end) {
                     for (int64_t row = begin; row < end; ++row) {
                       for (int64_t j = 0; j < sizes.keys; ++j) {
                         const uint64_t bits =
                             mixed(options.dropout_seed ^ mixed(row * 0x9e3779b97f4a7c15u + j));
                         out[row * sizes.keys + j] = (bits >> 32) < threshold ? 0 : kept;
                       }
                     }
                   });
  return factors.to(device, type);
}

}  // namespace heed
