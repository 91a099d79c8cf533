// Classes that are rare, and count the more for it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "heed/tasks/task.h"

namespace heed::tasks {

// Throws UsageError for a name other than "none" and "balanced".
void check_class_weight(const std::string& name);

// "balanced": all examples / (classes that occur · examples of the class), so that every class
// counts as much as any other and an example one on average; a class without an example counts 1.
// float32 (classes). "none": undefined.
at::Tensor class_weights(const std::string& name, const std::vector<int64_t>& counts);

// Σ weights · losses / Σ weights. Both (B); the weights are constants.
Loss weighted_loss(const at::Tensor& losses, const at::Tensor& weights, int64_t tokens);

// Throws UsageError where the memory that is free does not hold, in training, a layer of so many
// weights that are there for the classes: themselves, their gradients and two moments of Adam.
void check_classes_fit(const std::string& classes, int64_t weights);

}  // namespace heed::tasks
