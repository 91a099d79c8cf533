#include "heed/nn/attention/multi_head_attention.h"

#include <ATen/ATen.h>

#include "heed/base/error.h"
#include "heed/nn/layers/packed_rows.h"

namespace heed::nn {
namespace {

// The part of a head that is rotated has a whole number of pairs.
RotaryOptions rotary_options(const MultiHeadAttentionOptions& options) {
  const auto size = static_cast<double>(head_dim_of(options));
  const auto rotated = static_cast<int64_t>(size * options.details.rotary_share);
  return {.size = rotated,
          .base = options.attention.rope_theta,
          .scaling = options.details.rotary_scaling};
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(const MultiHeadAttentionOptions& options)
    : AttentionHeads(options, Kind::kSelf) {
  const HeadCounts heads = counts();
  query_key_value =
      register_module("query_key_value", make_input(options.d_model, heads.query + 2 * heads.key));
  output = register_module("output", make_output());
  if (options.details.query_key_norm) {
    query_norm = register_module(
        "query_norm", std::make_shared<RmsNorm>(heads.size, options.details.query_key_epsilon));
    key_norm = register_module(
        "key_norm", std::make_shared<RmsNorm>(heads.size, options.details.query_key_epsilon));
  }
  if (options.attention.positions == "rotary") {
    rotary_ = std::make_unique<Rotary>(rotary_options(options));
  }
}

at::Tensor MultiHeadAttention::normalised(const at::Tensor& projected) const {
  if (!query_norm) return projected;
  const HeadCounts heads = counts();
  const at::Tensor all = projected.view(
      {projected.size(0), projected.size(1), heads.query + 2 * heads.key, heads.size});
  return at::cat({query_norm->forward(all.slice(2, 0, heads.query)),
                  key_norm->forward(all.slice(2, heads.query, heads.query + heads.key)),
                  all.slice(2, heads.query + heads.key)},
                 2)
      .flatten(2);
}

at::Tensor MultiHeadAttention::forward(const at::Tensor& input,
                                       const SelfAttentionContext& context) const {
  std::optional<Rotary::Angles> angles;
  const PackedRows* packed = context.packed;
  const int64_t length = packed != nullptr ? packed->longest() : input.size(1);
  if (rotary_) angles = rotary_->angles(context.positions, length, input.device());
  Heads heads = split_heads(normalised(query_key_value->forward(into_parts(input, shards()))),
                            counts(), angles, packed);
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
  return sum_of_parts(*output, packed != nullptr ? packed->pack(mixed) : mixed, shards());
}

std::vector<ShardedTensor> MultiHeadAttention::splits() const {
  const auto [heads, key_value_heads, size] = counts();
  std::vector<ShardedTensor> all = AttentionHeads::splits();
  add_rows(all, *query_key_value, {heads * size, key_value_heads * size, key_value_heads * size});
  all.push_back({.tensor = output->weight, .dimension = 1, .blocks = {heads * size}});
  return all;
}

CrossAttention::CrossAttention(const MultiHeadAttentionOptions& options)
    : AttentionHeads(options, Kind::kCross) {
  const int64_t d_memory = options.d_memory > 0 ? options.d_memory : options.d_model;
  query = register_module("query", make_input(options.d_model, counts().query));
  key_value = register_module("key_value", make_input(d_memory, 2 * counts().key));
  output = register_module("output", make_output());
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

std::vector<ShardedTensor> CrossAttention::splits() const {
  const auto [heads, key_value_heads, size] = counts();
  std::vector<ShardedTensor> all = AttentionHeads::splits();
  add_rows(all, *query, {heads * size});
  add_rows(all, *key_value, {key_value_heads * size, key_value_heads * size});
  all.push_back({.tensor = output->weight, .dimension = 1, .blocks = {heads * size}});
  return all;
}

}  // namespace heed::nn
