// The parameters of a module to and from safetensors.
#pragma once

#include <torch/nn/module.h>

#include <vector>

#include "heed/io/weights/safetensors.h"

namespace heed::models {

// The parameters of a module under their dotted names. The tensors share the module's memory and
// are valid as long as it lives and does not change its parameters.
std::vector<StoredTensor> stored_parameters(const torch::nn::Module& module);

// Copies the weights into the module. Throws DataError naming the file and the tensor where one is
// missing, left over, or of another shape than the module's.
void load_parameters(torch::nn::Module& module, const Safetensors& weights);

}  // namespace heed::models
