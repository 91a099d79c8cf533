// Classes that are rare, and count the more for it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "heed/nn/fields.h"
#include "heed/tasks/common/task.h"

namespace heed::tasks {

// "none", "balanced".
std::vector<std::string> class_weight_names();
constexpr nn::Field class_weight_field(const char* help) {
  return {.name = "class_weight", .help = help, .choices = class_weight_names};
}

// "balanced": all examples / (classes that occur · examples of the class), so that every class
// counts as much as any other and an example one on average; a class without an example counts 1.
// float32 (classes). "none": undefined.
at::Tensor class_weights(const std::string& name, const std::vector<int64_t>& counts);

// Σ weights · losses / Σ weights. Both (B); the weights are constants.
Loss weighted_loss(const at::Tensor& losses, const at::Tensor& weights, int64_t tokens);

// Mean cross-entropy of logits (B, C) against the classes (B) int64, which count by their weights
// (C) where these are defined.
Loss class_loss(const at::Tensor& logits, const at::Tensor& targets, const at::Tensor& weights,
                double label_smoothing, int64_t tokens);

// Throws UsageError where the memory that is free does not hold, in training, a layer of so many
// weights that are there for the classes: themselves, their gradients and two moments of Adam.
void check_classes_fit(const std::string& classes, int64_t weights);

// The same of the logits and probabilities of all `examples` that validate, which are kept at once.
void check_logits_fit(int64_t examples, int64_t classes);

}  // namespace heed::tasks
