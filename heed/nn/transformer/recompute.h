// Time for memory: of a layer only its inputs are kept, and what is inside is made again when the
// gradients want it.                                                            Chen et al. 2016
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace heed::nn {

using TensorFunction = std::function<at::Tensor(const std::vector<at::Tensor>& inputs)>;

// function(inputs), made again in the backward pass with the same random numbers of torch's CPU
// generator and the same autocast. `parameters`: all tensors that learn and that the function may
// read besides; it must read no other one that does. What it captures must outlive the graph.
// Differentiable once.
at::Tensor recomputed(const TensorFunction& function, const std::vector<at::Tensor>& inputs,
                      const std::vector<at::Tensor>& parameters);

// As long as it lives, stacks of layers on this thread run so where gradients are recorded.
class GradientCheckpointing {
 public:
  explicit GradientCheckpointing(bool wanted);
  ~GradientCheckpointing();
  GradientCheckpointing(const GradientCheckpointing&) = delete;
  GradientCheckpointing& operator=(const GradientCheckpointing&) = delete;

  // Whether they do now.
  static bool is_on();

 private:
  bool before_;
};

}  // namespace heed::nn
