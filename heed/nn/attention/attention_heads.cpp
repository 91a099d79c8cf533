#include "heed/nn/attention/attention_heads.h"
#include "heed/nn/attention/relative_buckets.h"
#include "heed/nn/layers/dropout_seed.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/nn/attention/attention_recorder.h"
#include "heed/nn/attention/distance.h"
#include "heed/nn/attention/multi_head_attention.h"
#include "heed/ops/attention/score_kinds.h"
#include "heed/ops/attention_weights.h"

namespace heed::nn {
namespace {

// What a score starts from: its own number for each head, or weights that give sums of variance
// about 1.
at::Tensor initial_parameter(const ScoreKind& score, const HeadCounts& counts) {
  switch (score.parameter) {
    case ScoreKind::Parameter::kNone:
      return {};
    case ScoreKind::Parameter::kPerHead:
      return at::full({counts.query}, score.initial, at::kFloat);
    case ScoreKind::Parameter::kPerHeadAndSize:
      return at::randn({counts.query, counts.size}) / std::sqrt(static_cast<double>(counts.size));
  }
  return {};
}

// The relative bias (B, H, Nq, Nk) of rows that stand at different positions.
at::Tensor bias_by_row(const at::Tensor& table, const TokenPositions& positions, int64_t queries,
                       int64_t keys) {
  const int64_t reach = table.size(1) / 2;
  const at::Tensor query = positions_of(positions, queries, table.device()).unsqueeze(2);
  const at::Tensor key = at::arange(keys, query.options());
  const at::Tensor index = (key - query).clamp(-reach, reach) + reach;  // (B, Nq, Nk)
  return table.index_select(1, index.flatten())
      .view({table.size(0), index.size(0), queries, keys})
      .transpose(0, 1);
}

}  // namespace

AttentionHeads::AttentionHeads(const MultiHeadAttentionOptions& options, Kind kind)
    : options_(options) {
  check_usage(options.num_heads > 0 && options.d_model > 0 &&
                  (options.details.head_dim > 0 || options.d_model % options.num_heads == 0),
              "multi-head attention: expected d_model divisible by num_heads, got ",
              options.d_model, " and ", options.num_heads);
  const AttentionSettings& settings = options_.attention;
  if (kind == Kind::kCross) options_.attention.positions = "none";
  check(settings, {.num_heads = options.num_heads, .size = head_dim_of(options)});
  score_parameter = initial_parameter(score_kind(settings.score), counts());
  if (score_parameter.defined()) register_parameter("score_parameter", score_parameter);
  if (settings.positions == "alibi") {
    alibi_slopes_ = register_buffer("alibi_slopes", alibi_slopes(options.num_heads));
  } else if (settings.positions == "relative" && options.details.relative_buckets > 0) {
    relative_buckets = register_module("relative_buckets",
                                       std::make_shared<RelativeBuckets>(RelativeBucketsOptions{
                                           .heads = options.num_heads,
                                           .buckets = options.details.relative_buckets,
                                           .reach = settings.max_relative_positions,
                                           .only_before = options.details.only_before}));
  } else if (settings.positions == "relative") {
    relative_table = register_parameter(
        "relative_table", at::zeros({options.num_heads, 2 * settings.max_relative_positions + 1}));
  }
}

int64_t head_dim_of(const MultiHeadAttentionOptions& options) {
  return options.details.head_dim > 0 ? options.details.head_dim
                                      : options.d_model / options.num_heads;
}

std::shared_ptr<Linear> AttentionHeads::make_input(int64_t in, int64_t heads) const {
  return std::make_shared<Linear>(
      LinearOptions{.in = in,
                    .out = heads * counts().size,
                    .bias = options_.details.qkv_bias.value_or(options_.bias)});
}

std::shared_ptr<Linear> AttentionHeads::make_output() const {
  return std::make_shared<Linear>(
      LinearOptions{.in = counts().query * counts().size,
                    .out = options_.d_model,
                    .bias = options_.details.output_bias.value_or(options_.bias)});
}

HeadCounts AttentionHeads::counts() const {
  const int64_t parts = shards_ != nullptr ? shards_->count() : 1;
  return {.query = options_.num_heads / parts,
          .key = key_value_heads_of(options_.attention, options_.num_heads) / parts,
          .size = head_dim_of(options_)};
}

void AttentionHeads::check_split(int64_t count) const {
  const int64_t key_value_heads = key_value_heads_of(options_.attention, options_.num_heads);
  check_usage(options_.num_heads % count == 0,
              "tensor parallel: expected a number of heads that the ", count,
              " processes of a model divide, got ", options_.num_heads);
  check_usage(key_value_heads % count == 0,
              "tensor parallel: expected a number of key-value heads that the ", count,
              " processes of a model divide, got ", key_value_heads);
}

std::vector<ShardedTensor> AttentionHeads::splits() const {
  std::vector<ShardedTensor> all;
  for (const at::Tensor& each : {score_parameter, relative_table, alibi_slopes_}) {
    if (each.defined()) all.push_back({.tensor = each, .blocks = {options_.num_heads}});
  }
  return all;
}

at::Tensor AttentionHeads::attend(const Call& call) const {
  const Heads& heads = call.heads;
  const int64_t queries = heads.query.size(2);
  AttentionOptions attend{.score = NamedScore{options_.attention.score, score_parameter},
                          .pattern = call.pattern,
                          .softcap = options_.attention.softcap};
  // Rows at different positions need no slopes of their own: a query that stands further right by c
  // has c · slope taken from all its scores, which changes no weight.
  if (alibi_slopes_.defined()) attend.alibi_slopes = alibi_slopes_;
  const at::Tensor table = relative_buckets ? relative_buckets->table() : relative_table;
  if (options_.details.scale > 0) attend.scale = options_.details.scale;
  if (table.defined()) {
    if (call.positions.starts.defined()) {
      attend.bias = bias_by_row(table, call.positions, queries, heads.key.size(2));
    } else {
      attend.relative_bias = RelativeBias{table};
    }
  }
  AttentionOptions dropping = attend;
  if (is_training() && options_.dropout > 0) {
    dropping.dropout = options_.dropout;
    dropping.dropout_seed = draw_seed();
    if (shards_ != nullptr) {
      dropping.dropout_heads = {.first = shards_->index() * counts().query,
                                .whole = options_.num_heads};
    }
  }
  const AttentionResult result = attention(heads.query, heads.key, heads.value, dropping);
  if (AttentionRecorder* const recorder = AttentionRecorder::current()) {
    const bool cross = dynamic_cast<const CrossAttention*>(this) != nullptr;
    (cross ? recorder->cross : recorder->self)
        .push_back({.tokens = {heads.query, heads.key, attend, result}, .value = heads.value});
  }
  if (call.weights != nullptr) {
    call.weights->push_back(attention_weights(heads.query, heads.key, attend, {}, result));
  }
  return result.output.transpose(1, 2).reshape(
      {heads.query.size(0), queries, counts().query * counts().size});
}

}  // namespace heed::nn
