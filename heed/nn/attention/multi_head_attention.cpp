#include "heed/nn/attention/multi_head_attention.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"

namespace heed::nn {

MultiHeadAttention::MultiHeadAttention(const MultiHeadAttentionOptions& options)
    : AttentionHeads(options, Kind::kSelf) {
  const auto [heads, key_value_heads, size] = counts();
  query_key_value = register_module(
      "query_key_value",
      std::make_shared<Linear>(LinearOptions{.in = options.d_model,
                                             .out = (heads + 2 * key_value_heads) * size,
                                             .bias = options.bias}));
  output = register_module(
      "output", std::make_shared<Linear>(LinearOptions{
                    .in = options.d_model, .out = options.d_model, .bias = options.bias}));
  if (options.attention.positions == "rotary") {
    rotary_ =
        std::make_unique<Rotary>(RotaryOptions{.size = size, .base = options.attention.rope_theta});
  }
}

at::Tensor MultiHeadAttention::forward(const at::Tensor& input,
                                       const SelfAttentionContext& context) const {
  std::optional<Rotary::Angles> angles;
  if (rotary_) angles = rotary_->angles(context.positions, input.size(1), input.device());
  Heads heads =
      split_heads(query_key_value->forward(into_parts(input, shards())), counts(), angles);
  if (context.cache != nullptr) {
    context.cache->append(heads.key, heads.value, context.positions);
    heads.key = context.cache->key();
    heads.value = context.cache->value();
  }
  const at::Tensor mixed =
      attend({.heads = heads,
              .pattern = context.pattern,
              .positions = context.positions,
              .weights = context.trace != nullptr ? &context.trace->weights : nullptr});
  return sum_of_parts(*output, mixed, shards());
}

std::vector<Split> MultiHeadAttention::splits() const {
  const auto [heads, key_value_heads, size] = counts();
  std::vector<Split> all = AttentionHeads::splits();
  add_rows(all, *query_key_value, {heads * size, key_value_heads * size, key_value_heads * size});
  all.push_back({.tensor = output->weight, .dimension = 1, .blocks = {heads * size}});
  return all;
}

CrossAttention::CrossAttention(const MultiHeadAttentionOptions& options)
    : AttentionHeads(options, Kind::kCross) {
  const int64_t width = options.d_model;
  const int64_t d_memory = options.d_memory > 0 ? options.d_memory : width;
  query = register_module("query", std::make_shared<Linear>(LinearOptions{
                                       .in = width, .out = width, .bias = options.bias}));
  key_value = register_module(
      "key_value",
      std::make_shared<Linear>(LinearOptions{
          .in = d_memory, .out = 2 * counts().key * counts().size, .bias = options.bias}));
  output = register_module("output", std::make_shared<Linear>(LinearOptions{
                                         .in = width, .out = width, .bias = options.bias}));
}

ProjectedMemory CrossAttention::project(const at::Tensor& memory) const {
  const Heads heads = split_heads(key_value->forward(into_parts(memory, shards())),
                                  {.query = 0, .key = counts().key, .size = counts().size});
  return {.key = heads.key, .value = heads.value};
}

at::Tensor CrossAttention::forward(const at::Tensor& input, const ProjectedMemory& memory,
                                   const Pattern& pattern, AttentionTrace* trace) const {
  const int64_t rows = memory.key.size(0);
  check_usage(rows > 0 ? input.size(0) % rows == 0 : input.size(0) == 0,
              "cross-attention: expected rows that a memory of ", rows, " divides, got ",
              input.size(0));
  // Rows that share a memory are more queries to the same keys.
  const int64_t length = rows > 0 ? input.size(0) / rows * input.size(1) : input.size(1);
  const at::Tensor queries = query->forward(into_parts(input, shards()))
                                 .view({rows, length, counts().query, counts().size})
                                 .transpose(1, 2);
  const at::Tensor mixed =
      attend({.heads = {.query = queries, .key = memory.key, .value = memory.value},
              .pattern = pattern,
              .weights = trace != nullptr ? &trace->cross_weights : nullptr});
  const int64_t width = counts().query * counts().size;
  return sum_of_parts(*output, mixed.view({input.size(0), input.size(1), width}), shards());
}

std::vector<Split> CrossAttention::splits() const {
  const auto [heads, key_value_heads, size] = counts();
  std::vector<Split> all = AttentionHeads::splits();
  add_rows(all, *query, {heads * size});
  add_rows(all, *key_value, {key_value_heads * size, key_value_heads * size});
  all.push_back({.tensor = output->weight, .dimension = 1, .blocks = {heads * size}});
  return all;
}

}  // namespace heed::nn
