#include "heed/nn/multi_head_attention.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"
#include "heed/ops/weights.h"

namespace heed::nn {
namespace {

// A new seed for the dropout of one call, from torch's default generator, whose state is what
// checkpoints save.
uint64_t draw_seed() {
  return static_cast<uint64_t>(at::randint(INT64_MAX, {1}, at::kLong).item<int64_t>());
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(const MultiHeadAttentionOptions& options)
    : options_(options) {
  const int64_t width = options.width;
  check_usage(options.heads > 0 && width % options.heads == 0,
              "multi-head attention: expected a width divisible by the number of heads, got width ",
              width, " and ", options.heads, " heads");
  query_key_value = register_module(
      "query_key_value", std::make_shared<Linear>(LinearOptions{.in = width, .out = 3 * width}));
  output =
      register_module("output", std::make_shared<Linear>(LinearOptions{.in = width, .out = width}));
}

at::Tensor MultiHeadAttention::forward(const at::Tensor& input, const Pattern& pattern,
                                       AttentionTrace* trace) const {
  const int64_t batch = input.size(0);
  const int64_t length = input.size(1);
  const int64_t size = options_.width / options_.heads;

  // (B, N, 3C) seen as three (B, H, N, D), without a copy.
  const auto projected = query_key_value->forward(input)
                             .view({batch, length, 3, options_.heads, size})
                             .permute({2, 0, 3, 1, 4})
                             .unbind(0);
  AttentionOptions attend{.pattern = pattern};
  if (trace != nullptr) {
    trace->weights.push_back(attention_weights(projected[0], projected[1], attend));
  }
  if (is_training() && options_.dropout > 0) {
    attend.dropout = options_.dropout;
    attend.dropout_seed = draw_seed();
  }
  const at::Tensor mixed = attention(projected[0], projected[1], projected[2], attend).output;
  return output->forward(mixed.transpose(1, 2).reshape({batch, length, options_.width}));
}

}  // namespace heed::nn
