// The parameters of a module, each tensor once.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <string>
#include <utility>
#include <vector>

namespace heed::training {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

// A tensor that several modules share (tied embeddings) stands under its first name alone, or an
// optimizer would update it twice.
NamedTensors named_parameters(const torch::nn::Module& module);

// Those that are trained.
NamedTensors trained_parameters(const torch::nn::Module& module);

std::vector<at::Tensor> tensors_of(const NamedTensors& named);

}  // namespace heed::training
