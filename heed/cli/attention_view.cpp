#include "heed/cli/attention_view.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>

namespace heed::cli {
namespace {

at::Tensor block_means(const at::Tensor& matrix, int64_t axis, int64_t block) {
  std::vector<at::Tensor> means;
  for (const at::Tensor& part : matrix.split(block, axis)) means.push_back(part.mean(axis, true));
  return at::cat(means, axis);
}

}  // namespace

int64_t AttentionView::layer_count() const {
  return weights.defined() ? weights.size(0) : std::ssize(calls);
}

int64_t AttentionView::head_count() const {
  return weights.defined() ? weights.size(1) : calls.front().tokens.query.size(1);
}

at::Tensor AttentionView::matrix(int64_t layer, int64_t head) const {
  if (weights.defined()) return weights[layer][head];
  const AttendedTokens& call = calls[static_cast<size_t>(layer)].tokens;
  return attention_weights(call.query, call.key, call.options, {.heads = {head}}, call.result)[0][0]
      .to(at::kFloat);
}

at::Tensor AttentionView::mean(int64_t layer) const {
  at::Tensor mean = matrix(layer, 0).clone();
  for (int64_t head = 1; head < head_count(); ++head) mean += matrix(layer, head);
  return mean / static_cast<double>(head_count());
}

at::Tensor AttentionView::received(int64_t layer) const {
  if (weights.defined()) return weights[layer].sum(1);
  return column_weights(calls[static_cast<size_t>(layer)].tokens)[0].to(at::kFloat);
}

at::Tensor AttentionView::entropies(int64_t layer) const {
  if (weights.defined()) return -at::xlogy(weights[layer], weights[layer]).sum(-1);
  return row_entropies(calls[static_cast<size_t>(layer)].tokens)[0].to(at::kFloat);
}

TopWeights AttentionView::largest(int64_t layer, int64_t count) const {
  if (weights.defined()) return largest_of(weights[layer], count);
  const TopWeights top = top_weights(calls[static_cast<size_t>(layer)].tokens, count);
  return {.values = top.values[0].to(at::kFloat), .keys = top.keys[0]};
}

at::Tensor AttentionView::blocks(int64_t layer, WeightBlockSize block) const {
  if (weights.defined()) {
    return block_means(block_means(weights[layer], 1, block.queries), 2, block.keys);
  }
  return block_weights(calls[static_cast<size_t>(layer)].tokens, block)[0].to(at::kFloat);
}

std::vector<at::Tensor> output_gradients(const std::vector<nn::AttendedHeads>& calls,
                                         const at::Tensor& score) {
  std::vector<at::Tensor> outputs;
  for (const nn::AttendedHeads& call : calls) outputs.push_back(call.tokens.result.output);
  std::vector<at::Tensor> gradients = torch::autograd::grad(
      {score}, outputs, {}, /*retain_graph=*/true, /*create_graph=*/false, /*allow_unused=*/true);
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (!gradients[i].defined()) gradients[i] = at::zeros_like(outputs[i]);
  }
  return gradients;
}

at::Tensor effects_of(const nn::AttendedHeads& call, const at::Tensor& weights,
                      const at::Tensor& gradient) {
  const at::NoGradGuard no_grad;
  const at::Tensor values = call.value.to(at::kFloat);  // (B, Hk, Nk, D)
  const at::Tensor of_heads = values.repeat_interleave(weights.size(1) / values.size(1), 1);
  return weights * at::matmul(gradient.to(at::kFloat), of_heads.transpose(2, 3));
}

WholeWeights whole_weights(const std::vector<nn::AttendedHeads>& calls, const at::Tensor& score) {
  std::vector<at::Tensor> gradients, weights, effects;
  if (score.defined()) gradients = output_gradients(calls, score);
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < calls.size(); ++i) {
    const AttendedTokens& call = calls[i].tokens;
    const at::Tensor all =
        attention_weights(call.query, call.key, call.options, {}, call.result).to(at::kFloat);
    weights.push_back(all.mean(0));
    if (score.defined()) effects.push_back(effects_of(calls[i], all, gradients[i]).mean(0));
  }
  return {.weights = at::stack(weights),
          .effects = score.defined() ? at::stack(effects) : at::Tensor()};
}

TopWeights largest_of(const at::Tensor& weights, int64_t count) {
  const auto [values, keys] = weights.topk(std::min(count, weights.size(-1)), -1);
  TopWeights top{.values = at::constant_pad_nd(values, {0, count - values.size(-1)}),
                 .keys = at::constant_pad_nd(keys, {0, count - keys.size(-1)}, -1)};
  top.keys.masked_fill_(top.values == 0, -1);
  return top;
}

}  // namespace heed::cli
