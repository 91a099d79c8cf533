#include "heed/training/not_finite.h"

#include <ATen/ATen.h>
#include <ATen/record_function.h>
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

namespace heed::training {
namespace {

using torch::autograd::AccumulateGrad;
using torch::autograd::Node;
// std::shared_ptr or c10::intrusive_ptr, by the version of torch.
using NodePointer = std::decay_t<decltype(std::declval<const at::Tensor&>().grad_fn())>;
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
  bool looking = false;  // what looks calls torch operations itself

  void look_at(const at::Tensor& tensor) {
    if (!tensor.defined() || !tensor.grad_fn()) return;
    const auto& node = tensor.grad_fn();
    if (first && node->sequence_nr() >= first->sequence_nr()) return;
    if (is_bad(tensor.detach())) first = node;
  }
  void look_at(const c10::IValue& value) {
    if (value.isTensor()) look_at(value.toTensor());
    if (!value.isTensorList()) return;
    for (const at::Tensor& each : value.toTensorVector()) look_at(each);
  }
};
thread_local Probe* probe = nullptr;

template <typename Values>
void look_at_all(const Values& values) {
  if (probe == nullptr || probe->looking) return;
  probe->looking = true;
  for (const c10::IValue& value : values) probe->look_at(value);
  probe->looking = false;
}

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
  look_at_all(function.inputs());
  return nullptr;
}

void on_end(const at::RecordFunction& function, at::ObserverContext*) {
  look_at_all(function.outputs());
}

class Watching {
 public:
  explicit Watching(Probe& found) {
    probe = &found;
    handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(on_start, on_end)
                                             .needsInputs(true)
                                             .needsOutputs(true)
                                             .scopes({at::RecordScope::FUNCTION}));
  }
  ~Watching() {
    at::removeCallback(handle_);
    probe = nullptr;
  }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;

 private:
  at::CallbackHandle handle_;
};

std::string layer_of(const std::string& parameter) {
  const size_t dot = parameter.rfind('.');
  return dot == std::string::npos ? parameter : parameter.substr(0, dot);
}

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
    const Watching watching(found);
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
