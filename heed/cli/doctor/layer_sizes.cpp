#include "heed/cli/doctor/layer_sizes.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/accumulate_grad.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "heed/training/named_parameters.h"
#include "heed/training/operation_watch.h"

namespace heed::cli {
namespace {

using torch::autograd::AccumulateGrad;
using torch::autograd::Node;

// What was seen of a layer so far.
struct Seen {
  int64_t parameters = 0;
  bool multiplies = false;
  int64_t rows = 0;
  double largest = 0;
  at::Tensor sums, squares;  // over the rows, a double a column
  double gradient_squares = 0;
  int64_t gradients = 0;

  void add(const at::Tensor& output) {
    const at::Tensor table = output.reshape({-1, output.size(-1)}).to(at::kDouble);
    if (sums.defined() && sums.size(0) != table.size(1)) return;
    rows += table.size(0);
    largest = std::max(largest, table.abs().max().item<double>());
    sums = sums.defined() ? sums + table.sum(0) : table.sum(0);
    squares = squares.defined() ? squares + table.square().sum(0) : table.square().sum(0);
  }

  doctor::LayerSize size(const std::string& name) const {
    const auto count = static_cast<double>(rows);
    const at::Tensor mean_square = squares / count, mean = sums / count;
    const double output = std::sqrt(mean_square.mean().item<double>());
    const double spread = (mean_square - mean.square()).clamp_min(0).mean().item<double>();
    doctor::LayerSize result{.name = name,
                             .parameters = parameters,
                             .multiplies = multiplies,
                             .output = output,
                             .largest = largest,
                             // One row alone changes from nothing.
                             .change = output > 0 && rows > 1 ? std::sqrt(spread) / output : 1};
    if (gradients > 0) {
      result.gradient = std::sqrt(gradient_squares / static_cast<double>(gradients));
    }
    if (output == 0) result.change = 0;
    return result;
  }
};

class Sizes {
 public:
  explicit Sizes(const torch::nn::Module& module)
      : parameters_(training::trained_parameters(module)) {
    for (const auto& [name, tensor] : parameters_) {
      const std::string layer = training::layer_of(name);
      if (all_.count(layer) == 0) order_.push_back(layer);
      all_[layer].parameters += tensor.numel();
      layers_[tensor.unsafeGetTensorImpl()] = &all_[layer];
    }
  }

  // The output of a layer is what was made of one of its parameters and is no view of it.
  void look_at(const at::Tensor& tensor) {
    if (!tensor.defined() || !tensor.grad_fn() || !tensor.is_floating_point()) return;
    if (tensor.numel() == 0 || tensor.dim() == 0) return;
    if (!nodes_.insert(tensor.grad_fn().get()).second) return;
    kept_.push_back(tensor.grad_fn());  // so that no other node gets its address
    Seen* layer = nullptr;
    bool takes = false;
    for (const auto& edge : tensor.grad_fn()->next_edges()) {
      const auto* leaf = dynamic_cast<const AccumulateGrad*>(edge.function.get());
      if (leaf == nullptr) {
        takes = takes || edge.function != nullptr;
        continue;
      }
      const auto found = layers_.find(leaf->variable.unsafeGetTensorImpl());
      if (found == layers_.end()) continue;
      if (tensor.is_alias_of(leaf->variable)) return;
      layer = found->second;
    }
    if (layer == nullptr) return;
    layer->multiplies = layer->multiplies || takes;
    layer->add(tensor.detach());
  }

  void add_gradients(const at::Tensor& score) {
    const auto gradients = torch::autograd::grad({score}, training::tensors_of(parameters_), {},
                                                 std::nullopt, false, /*allow_unused=*/true);
    for (size_t i = 0; i < gradients.size(); ++i) {
      if (!gradients[i].defined()) continue;
      Seen& layer = *layers_.at(parameters_[i].second.unsafeGetTensorImpl());
      layer.gradient_squares += gradients[i].to(at::kDouble).square().sum().item<double>();
      layer.gradients += gradients[i].numel();
    }
  }

  std::vector<doctor::LayerSize> sizes() const {
    std::vector<doctor::LayerSize> sizes;
    for (const std::string& name : order_) {
      const Seen& layer = all_.at(name);
      if (layer.rows > 0) sizes.push_back(layer.size(name));
    }
    return sizes;
  }

 private:
  training::NamedTensors parameters_;
  std::vector<std::string> order_;
  std::unordered_map<std::string, Seen> all_;
  std::unordered_map<const c10::TensorImpl*, Seen*> layers_;
  std::unordered_set<const Node*> nodes_;
  std::vector<training::NodePointer> kept_;
};

}  // namespace

std::vector<doctor::LayerSize> layer_sizes(const torch::nn::Module& module,
                                           const std::function<at::Tensor()>& score) {
  Sizes sizes(module);
  at::Tensor sum;
  {
    const training::OperationWatch watch([&](const at::Tensor& tensor) { sizes.look_at(tensor); });
    sum = score();
  }
  if (sum.defined() && sum.grad_fn()) sizes.add_gradients(sum);
  return sizes.sizes();
}

}  // namespace heed::cli
