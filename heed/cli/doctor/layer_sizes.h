// What the layers of a network make of a batch.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <functional>
#include <vector>

#include "heed/doctor/model_checks.h"

namespace heed::cli {

// Of each layer that `score` goes through, in the order of the parameters. `score`: a scalar that
// says how much speaks for the answers to a batch, with its graph. A layer is what has parameters
// of its own; what it gave is what was computed with them directly.
std::vector<doctor::LayerSize> layer_sizes(const torch::nn::Module& module,
                                           const std::function<at::Tensor()>& score);

}  // namespace heed::cli
