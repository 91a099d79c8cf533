#include "heed/nn/attention/graph_attention.h"

#include <ATen/ATen.h>

#include <cmath>

#include "heed/base/error.h"
#include "heed/nn/attention/attention_recorder.h"
#include "heed/nn/layers/dropout_seed.h"
#include "heed/nn/parameters/init.h"
#include "heed/ops/attention.h"
#include "heed/ops/attention/score_kinds.h"
#include "heed/ops/dropout.h"

namespace heed::nn {
namespace {

bool is_gat(const GraphAttentionOptions& o) { return o.score == "gat"; }

const ScoreKind& kind_of(const GraphAttentionOptions& o) {
  return score_kind(is_gat(o) || o.score == "gatv2" ? "leaky" : o.score);
}

// Xavier uniform, of what is a column or a row of a matrix.
at::Tensor started(int64_t heads, int64_t size) {
  at::Tensor parameter = at::empty({heads, size});
  init_weight(parameter, Init::kXavierUniform);
  return parameter;
}

}  // namespace

std::vector<std::string> graph_score_names() {
  return {"gat", "gatv2", "scaled_dot", "dot", "cosine", "additive"};
}

SparseMatrix SparseMatrix::to(at::Device device) const {
  return {
      .offsets = offsets.to(device), .columns = columns.to(device), .values = values.to(device)};
}

SparseLinear::SparseLinear(int64_t in, int64_t out) {
  weight = register_parameter("weight", at::empty({in, out}));
  init_weight(weight, Init::kXavierUniform);
}

at::Tensor SparseLinear::forward(const SparseMatrix& input, double dropout) const {
  const at::Tensor values = heed::dropout(input.values, {.probability = dropout});
  constexpr int64_t kSum = 0;
  return std::get<0>(at::embedding_bag(weight, input.columns, input.offsets,
                                       /*scale_grad_by_freq=*/false, kSum, /*sparse=*/false, values,
                                       /*include_last_offset=*/true));
}

GraphAttention::GraphAttention(const GraphAttentionOptions& options) : options_(options) {
  const auto& o = options;
  check_usage(o.num_heads > 0 && o.size > 0,
              "graph attention: expected at least one head of size 1, ", "got ", o.num_heads,
              " of ", o.size);
  const ScoreKind& kind = kind_of(o);
  if (is_gat(o)) {
    attention_source_ = register_parameter("attention_source", started(o.num_heads, o.size));
    attention_target_ = register_parameter("attention_target", started(o.num_heads, o.size));
    score_parameter_ = register_buffer("ones", at::ones({o.num_heads, 1}));
  } else if (kind.parameter == ScoreKind::Parameter::kPerHeadAndSize) {
    score_parameter_ = register_parameter("score_parameter", started(o.num_heads, o.size));
  } else if (kind.parameter == ScoreKind::Parameter::kPerHead) {
    score_parameter_ = register_parameter("score_parameter", at::full({o.num_heads}, kind.initial));
  }
}

int64_t GraphAttention::parts() const {
  return is_gat(options_) ? 1 : options_.score == "gatv2" ? 2 : 3;
}

int64_t GraphAttention::projected_size() const {
  return parts() * options_.num_heads * options_.size;
}

GraphAttention::Parts GraphAttention::split(const at::Tensor& projected) const {
  check_usage(projected.dim() == 2 && projected.size(1) == projected_size(),
              "graph attention: expected (N, ", projected_size(), "), got ", projected.sizes());
  // (parts, 1, H, N, D)
  const at::Tensor all = projected.reshape({-1, 1, parts(), options_.num_heads, options_.size})
                             .permute({2, 1, 3, 0, 4});
  if (parts() == 3) return {.query = all[0], .key = all[1], .value = all[2]};
  if (parts() == 2) return {.query = all[0], .key = all[1], .value = all[1]};
  const auto towards = [&](const at::Tensor& vector) {  // (1, H, N, 1)
    return (all[0] * vector.unsqueeze(1)).sum(-1, /*keepdim=*/true);
  };
  return {.query = towards(attention_target_), .key = towards(attention_source_), .value = all[0]};
}

AttentionOptions GraphAttention::options_for(const Pattern& edges) const {
  return {.score = NamedScore{kind_of(options_).name, score_parameter_}, .pattern = edges};
}

at::Tensor GraphAttention::forward(const at::Tensor& projected, const Pattern& edges) const {
  const Parts parts = split(projected);
  AttentionOptions options = options_for(edges);
  if (is_training() && options_.dropout > 0) {
    options.dropout = options_.dropout;
    options.dropout_seed = draw_seed();
  }
  const AttentionResult result = heed::attention(parts.query, parts.key, parts.value, options);
  if (AttentionRecorder* const recorder = AttentionRecorder::current()) {
    recorder->self.push_back(
        {.tokens = {parts.query, parts.key, options_for(edges), result}, .value = parts.value});
  }
  return result.output.squeeze(0).transpose(0, 1);
}

}  // namespace heed::nn
