#include "heed/nn/parameters/shards.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "heed/base/error.h"
#include "heed/nn/parameters/low_rank.h"

namespace heed::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// How a custom function carries the processes to its backward pass.
struct Holder : torch::CustomClassHolder {
  explicit Holder(ShardsPtr all) : shards(std::move(all)) {}
  ShardsPtr shards;
};

void keep(AutogradContext* context, const ShardsPtr& shards) {
  context->saved_data["shards"] = c10::IValue::make_capsule(c10::make_intrusive<Holder>(shards));
}

ShardsPtr kept(AutogradContext* context) {
  return c10::static_intrusive_pointer_cast<Holder>(context->saved_data["shards"].toCapsule())
      ->shards;
}

// Halves are summed as float32: rounding every partial sum would cost more than it saves.
at::Tensor summed(const at::Tensor& part, const Shards& shards) {
  const bool narrow = part.scalar_type() == at::kBFloat16 || part.scalar_type() == at::kHalf;
  const at::Tensor sum = part.to(narrow ? at::kFloat : part.scalar_type(), /*non_blocking=*/false,
                                 /*copy=*/true, at::MemoryFormat::Contiguous);
  shards.sum(sum);
  return sum;
}

class IntoParts : public torch::autograd::Function<IntoParts> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const ShardsPtr& shards) {
    keep(context, shards);
    return x.view_as(x);
  }
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    return {summed(grads[0], *kept(context)).to(grads[0].scalar_type()), {}};
  }
};

class SumOfParts : public torch::autograd::Function<SumOfParts> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& part,
                            const ShardsPtr& shards) {
    context->saved_data["type"] = static_cast<int64_t>(part.scalar_type());
    return summed(part, *shards);
  }
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    return {grads[0].to(static_cast<at::ScalarType>(context->saved_data["type"].toInt())), {}};
  }
};

}  // namespace

at::Tensor into_parts(const at::Tensor& x, const ShardsPtr& shards) {
  if (shards == nullptr || !x.requires_grad() || !at::GradMode::is_enabled()) return x;
  return IntoParts::apply(x, shards);
}

at::Tensor sum_of_parts(const Linear& layer, const at::Tensor& x, const ShardsPtr& shards) {
  if (shards == nullptr) return layer.forward(x);
  const at::Tensor part = heed::linear(x, layer.weight);
  const at::Tensor sum = SumOfParts::apply(part, shards);
  return (layer.bias.defined() ? sum + layer.bias : sum).to(part.scalar_type());
}

std::vector<int64_t> ShardedTensor::whole_sizes() const {
  std::vector<int64_t> sizes = tensor.sizes().vec();
  sizes[static_cast<size_t>(dimension)] = std::accumulate(blocks.begin(), blocks.end(), int64_t{0});
  return sizes;
}

at::Tensor ShardedTensor::part_of(const at::Tensor& whole, int64_t index, int64_t count) const {
  std::vector<at::Tensor> pieces;
  int64_t begin = 0;
  for (const int64_t block : blocks) {
    pieces.push_back(whole.narrow(dimension, begin + index * (block / count), block / count));
    begin += block;
  }
  return at::cat(pieces, dimension);
}

at::Tensor ShardedTensor::whole_of(const std::vector<at::Tensor>& parts) const {
  const auto count = static_cast<int64_t>(parts.size());
  std::vector<at::Tensor> pieces;
  int64_t begin = 0;  // in each part
  for (const int64_t block : blocks) {
    for (const at::Tensor& part : parts) {
      pieces.push_back(part.narrow(dimension, begin, block / count));
    }
    begin += block / count;
  }
  return at::cat(pieces, dimension);
}

void add_rows(std::vector<ShardedTensor>& splits, const Linear& layer,
              std::vector<int64_t> blocks) {
  if (layer.bias.defined()) splits.push_back({.tensor = layer.bias, .blocks = blocks});
  splits.push_back({.tensor = layer.weight, .blocks = std::move(blocks)});
}

std::vector<Splittable*> splittable_layers(torch::nn::Module& module) {
  std::vector<Splittable*> layers;
  module.apply([&](torch::nn::Module& each) {
    auto* layer = dynamic_cast<Splittable*>(&each);
    const bool known = std::find(layers.begin(), layers.end(), layer) != layers.end();
    if (layer != nullptr && !known) layers.push_back(layer);
  });
  return layers;
}

std::vector<ShardedTensor> split_layers(torch::nn::Module& module, const ShardsPtr& shards) {
  const auto layers = splittable_layers(module);
  check_usage(!layers.empty(),
              "tensor parallel: expected a model with attention or feed-forward layers, got one "
              "without; take data parallel alone");
  module.apply([](torch::nn::Module& each) {
    const auto* linear = dynamic_cast<const Linear*>(&each);
    check_usage(linear == nullptr || low_rank_of(*linear) == nullptr,
                "tensor parallel: expected layers without low-rank adapters (LoRA); take data "
                "parallel alone");
  });
  for (const Splittable* layer : layers) layer->check_split(shards->count());
  const c10::AutoGradMode no_gradients(false);
  std::vector<ShardedTensor> all;
  for (Splittable* layer : layers) {
    for (const ShardedTensor& split : layer->splits()) {
      split.tensor.set_data(split.part_of(split.tensor, shards->index(), shards->count()));
      all.push_back(split);
    }
    layer->set_shards(shards);
  }
  return all;
}

}  // namespace heed::nn
