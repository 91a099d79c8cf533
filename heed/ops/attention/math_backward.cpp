#include <ATen/ATen.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/autograd.h>

#include "heed/ops/attention/attention_checks.h"
#include "heed/ops/attention/operators.h"
#include "heed/ops/attention/score_kinds.h"

namespace heed {
namespace {

// Inside the kernel of an operator autograd is switched off, in its mode and in the dispatcher;
// this switches both on again.
class WithAutograd {
 public:
  WithAutograd()
      : keys_(c10::impl::tls_local_dispatch_key_set().included_,
              c10::impl::tls_local_dispatch_key_set().excluded_ -
                  c10::autograd_dispatch_keyset_with_ADInplaceOrView),
        mode_(true) {}

 private:
  c10::impl::ForceDispatchKeyGuard keys_;
  at::AutoGradMode mode_;
};

// The same call with leaves of its own in place of the tensors that are differentiable.
struct Replay {
  AttentionCall call;
  Gradients leaves;  // undefined where not wanted

  explicit Replay(const AttentionBackwardCall& backward) : call(backward.forward) {
    AttentionOptions& options = call.options;
    call.query = leaf(backward, 0, call.query);
    call.key = leaf(backward, 1, call.key);
    call.value = leaf(backward, 2, call.value);
    if (auto* cosine = std::get_if<Cosine>(&options.score)) {
      cosine->temperature = leaf(backward, 3, cosine->temperature);
    } else if (auto* additive = std::get_if<Additive>(&options.score)) {
      additive->v = leaf(backward, 3, additive->v);
    } else if (auto* named = std::get_if<NamedScore>(&options.score)) {
      named->parameter = leaf(backward, 3, named->parameter);
    }
    if (options.alibi_slopes) options.alibi_slopes = leaf(backward, 4, *options.alibi_slopes);
    if (options.relative_bias) {
      options.relative_bias->table = leaf(backward, 5, options.relative_bias->table);
    }
    if (options.bias) options.bias = leaf(backward, 6, *options.bias);
  }

 private:
  at::Tensor leaf(const AttentionBackwardCall& backward, size_t i, const at::Tensor& tensor) {
    if (!tensor.defined()) return tensor;
    const auto detached = tensor.detach();
    if (!backward.wanted[i]) return detached;
    leaves[i] = detached.requires_grad_();
    return leaves[i];
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
  for (const auto& leaf : replay.leaves) {
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
  for (size_t i = 0; i < all.size(); ++i) {
    if (!replay.leaves[i].defined()) continue;
    const auto& grad = found[next++];
    all[i] = grad.defined() ? grad : at::zeros_like(replay.leaves[i]);
  }
  return all;
}

}  // namespace heed
