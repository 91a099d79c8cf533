#include "heed/training/not_finite.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "heed/base/error.h"
#include "heed/training/named_parameters.h"
#include "heed/training/operation_watch.h"

namespace heed::training {
namespace {

using torch::autograd::AccumulateGrad;
using torch::autograd::Node;
using LayerNames = std::unordered_map<const c10::TensorImpl*, std::string>;

bool has_nan_or_infinity(const at::Tensor& tensor) {
  return tensor.numel() > 0 && !at::isfinite(tensor).all().item<bool>();
}

bool is_bad(const at::Tensor& tensor) {
  if (!tensor.is_floating_point() || tensor.numel() == 0) return false;
  return at::isnan(tensor).logical_or(at::isposinf(tensor)).any().item<bool>();
}

// The node that made the first bad tensor. Nodes are numbered in the order in which they are made.
struct Probe {
  NodePointer first;

  void look_at(const at::Tensor& tensor) {
    if (!tensor.defined() || !tensor.grad_fn()) return;
    const auto& node = tensor.grad_fn();
    if (first && node->sequence_nr() >= first->sequence_nr()) return;
    if (is_bad(tensor.detach())) first = node;
  }
};

LayerNames layer_names(const torch::nn::Module& module) {
  LayerNames names;
  for (const auto& [name, tensor] : named_parameters(module)) {
    names[tensor.unsafeGetTensorImpl()] = layer_of(name);
  }
  return names;
}

// The parameters that stand nearest above a node, and whether they are its own inputs.
std::string place_of(const NodePointer& node, const LayerNames& names) {
  std::deque<std::pair<const Node*, int>> queue = {{node.get(), 0}};
  std::unordered_set<const Node*> seen;
  while (!queue.empty()) {
    const auto [at, depth] = queue.front();
    queue.pop_front();
    if (const auto* leaf = dynamic_cast<const AccumulateGrad*>(at)) {
      const auto found = names.find(leaf->variable.unsafeGetTensorImpl());
      if (found == names.end()) continue;
      if (depth == 1) return "in the output of the layer " + found->second;
      return text_of("behind the layer ", found->second, " (", node->name(), ")");
    }
    for (const auto& edge : at->next_edges()) {
      if (edge.function && seen.insert(edge.function.get()).second) {
        queue.emplace_back(edge.function.get(), depth + 1);
      }
    }
  }
  return "before the first layer (" + node->name() + ")";
}

// For each parameter, the number of the last node that takes it. A backward pass begins there.
std::unordered_map<const c10::TensorImpl*, uint64_t> last_uses(const at::Tensor& loss) {
  std::unordered_map<const c10::TensorImpl*, uint64_t> uses;
  std::vector<const Node*> stack = {loss.grad_fn().get()};
  std::unordered_set<const Node*> seen(stack.begin(), stack.end());
  while (!stack.empty()) {
    const Node* node = stack.back();
    stack.pop_back();
    for (const auto& edge : node->next_edges()) {
      if (!edge.function) continue;
      if (const auto* leaf = dynamic_cast<const AccumulateGrad*>(edge.function.get())) {
        uint64_t& last = uses[leaf->variable.unsafeGetTensorImpl()];
        last = std::max(last, node->sequence_nr());
      } else if (seen.insert(edge.function.get()).second) {
        stack.push_back(edge.function.get());
      }
    }
  }
  return uses;
}

}  // namespace

std::string first_not_finite(torch::nn::Module& module, const std::function<at::Tensor()>& loss) {
  const NamedTensors parameters = named_parameters(module);
  for (const auto& [name, tensor] : parameters) {
    if (has_nan_or_infinity(tensor.detach())) return "in the parameter " + name;
  }
  const LayerNames names = layer_names(module);
  Probe found;
  at::Tensor value;
  {
    const OperationWatch watch([&](const at::Tensor& tensor) { found.look_at(tensor); });
    value = loss();
    found.look_at(value);
  }
  if (found.first) return place_of(found.first, names);
  if (!value.grad_fn()) return has_nan_or_infinity(value) ? "before the first layer" : "";
  if (has_nan_or_infinity(value)) return place_of(value.grad_fn(), names);

  const auto uses = last_uses(value);
  module.zero_grad();
  value.backward();
  std::string place;
  uint64_t last = 0;
  for (const auto& [name, tensor] : parameters) {
    const auto use = uses.find(tensor.unsafeGetTensorImpl());
    if (use == uses.end() || !tensor.grad().defined()) continue;
    if (has_nan_or_infinity(tensor.grad()) && (place.empty() || use->second > last)) {
      place = "in the gradient of the layer " + layer_of(name);
      last = use->second;
    }
  }
  module.zero_grad();
  return place;
}

}  // namespace heed::training
