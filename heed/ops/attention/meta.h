// Where only shapes are asked for: the kernels of the dispatch key Meta.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

namespace heed {

// Whether sizes of the tensor are symbols, as while torch traces: then nothing is to be asked of
// them.
inline bool has_symbols(const at::Tensor& tensor) {
  return tensor.defined() && tensor.unsafeGetTensorImpl()->has_symbolic_sizes_strides();
}

// Of the arguments of attention or attention_backward (operators.h): that the tensors are on Meta,
// and fit each other as far as their sizes are numbers.
void check_meta(at::ArrayRef<c10::IValue> arguments);

}  // namespace heed
