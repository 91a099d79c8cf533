// Torch operators out of functions that have an autograd of their own.
//
// Eagerly a call goes straight to the function. Where torch traces (torch.compile, torch.export),
// two operators stand in the graph, NAME and NAME_backward; the second runs the function again,
// with autograd, instead of keeping what the function would have kept.
//
// An `Op` says:
//   kName            "heed::layer_norm"
//   kDifferentiable  the positions of the arguments that have gradients, ascending
//   compute          the results of the arguments; differentiable, and by torch's operators
//                    alone where no tensor is plain (plain_tensor.h), as under the transforms of
//                    torch.func
//   meta             what `compute` gives as shapes alone, which may be symbols
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/boxing/KernelFunction.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>
#include <torch/library.h>

#include <span>
#include <string>
#include <vector>

namespace heed {

using Tensors = std::vector<at::Tensor>;
using Values = at::ArrayRef<c10::IValue>;

// An Op as values, so that what follows from it is compiled once and not for each operator.
struct LayerFunction {
  const char* name;
  std::span<const size_t> differentiable;
  Tensors (*compute)(Values);
  Tensors (*meta)(Values);
};
template <class Op>
inline constexpr LayerFunction kLayerFunction = {Op::kName, Op::kDifferentiable, &Op::compute,
                                                 &Op::meta};

// The operator `schema` ("layer_norm(Tensor input, …) -> Tensor") and its backward.
void define_layer_operator(torch::Library& library, const std::string& schema);

// The kernels, as the dispatcher calls them: the arguments are the last values of the stack, and
// the results take their place.
namespace layer_kernels {

using Handle = c10::OperatorHandle;
using Stack = torch::jit::Stack;

// For every device: no autograd, results of their own memory.
void forward(const LayerFunction& function, const Handle& handle, Stack& stack);
// torch.vmap: torch's operators, each of which knows what to do with a dimension more.
void batched(const LayerFunction& function, const Handle& handle, Stack& stack);
void meta(const LayerFunction& function, const Handle& handle, Stack& stack);
void autograd(const LayerFunction& function, const Handle& handle, Stack& stack);
// (grads, the arguments of the forward pass, wanted) -> the gradients that are wanted.
void backward(const LayerFunction& function, const Handle& handle, Stack& stack);
void meta_backward(const LayerFunction& function, const Handle& handle, Stack& stack);

}  // namespace layer_kernels

// `kernel` over Op, for torch::Library::impl.
template <class Op,
          void (*kernel)(const LayerFunction&, const c10::OperatorHandle&, torch::jit::Stack&)>
struct LayerKernel {
  static void call(const c10::OperatorHandle& handle, torch::jit::Stack* stack) {
    kernel(kLayerFunction<Op>, handle, *stack);
  }
  static torch::CppFunction boxed() {
    return torch::CppFunction::makeFromBoxedFunction<&LayerKernel::call>();
  }
};

}  // namespace heed
