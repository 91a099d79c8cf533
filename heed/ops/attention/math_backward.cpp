#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "heed/ops/attention/argument_checks.h"
#include "heed/ops/attention/operators.h"
#include "heed/ops/operators/boxed.h"

namespace heed {
namespace {

// The same call with leaves of its own in place of the tensors that are differentiable.
struct Replay {
  AttentionCall call;
  Gradients leaves;  // undefined where not wanted

  explicit Replay(const AttentionBackwardCall& backward) : call(backward.forward) {
    for (const Argument input : kDifferentiable) {
      at::Tensor* const tensor = input_of(call, input);
      if (tensor == nullptr || !tensor->defined()) continue;
      *tensor = tensor->detach();
      if (backward.wanted[input]) leaves[input] = tensor->requires_grad_();
    }
  }
};

}  // namespace

AttentionResult math_forward(const AttentionCall& call) {
  const auto& [query, key, value, options] = call;
  const auto sizes = check_attention(query, key, value, options);
  if (query.is_cpu()) options.pattern.check(sizes.pattern());
  return attention_math(query, key, value, options);
}

Gradients math_backward(const AttentionBackwardCall& backward) {
  const auto& [query, key, value, options] = backward.forward;
  check_attention_backward(check_attention(query, key, value, options), backward);
  const WithAutograd with_autograd;
  const Replay replay(backward);
  const auto result = math_forward(replay.call);

  torch::autograd::variable_list outputs;
  torch::autograd::variable_list gradients;
  if (backward.grad_output.defined()) {
    outputs.push_back(result.output);
    gradients.push_back(backward.grad_output.detach());
  }
  if (backward.grad_log_sum_exp.defined()) {
    outputs.push_back(result.log_sum_exp);
    gradients.push_back(backward.grad_log_sum_exp.detach());
  }
  torch::autograd::variable_list inputs;
  for (const at::Tensor& leaf : replay.leaves.values()) {
    if (leaf.defined()) inputs.push_back(leaf);
  }
  Gradients all;
  if (inputs.empty()) return all;
  torch::autograd::variable_list found(inputs.size());
  if (!outputs.empty()) {
    found = torch::autograd::grad(outputs, inputs, gradients, /*retain_graph=*/false,
                                  /*create_graph=*/false, /*allow_unused=*/true);
  }
  size_t next = 0;
  for (const Argument input : kDifferentiable) {
    const at::Tensor& leaf = replay.leaves[input];
    if (!leaf.defined()) continue;
    const at::Tensor& grad = found[next++];
    all[input] = grad.defined() ? grad : at::zeros_like(leaf);
  }
  return all;
}

}  // namespace heed
