#include "heed/training/named_parameters.h"

#include <ATen/ATen.h>

#include <unordered_set>

namespace heed::training {

NamedTensors named_parameters(const torch::nn::Module& module) {
  NamedTensors named;
  std::unordered_set<const c10::TensorImpl*> seen;
  for (const auto& item : module.named_parameters()) {
    if (!item.value().defined() || !seen.insert(item.value().unsafeGetTensorImpl()).second)
      continue;
    named.emplace_back(item.key(), item.value());
  }
  return named;
}

NamedTensors trained_parameters(const torch::nn::Module& module) {
  NamedTensors named = named_parameters(module);
  std::erase_if(named, [](const auto& item) { return !item.second.requires_grad(); });
  return named;
}

std::vector<at::Tensor> tensors_of(const NamedTensors& named) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(named.size());
  for (const auto& item : named) tensors.push_back(item.second);
  return tensors;
}

}  // namespace heed::training
