// Whether torch wants to see operators in a call rather than its results.
#pragma once

#include <ATen/core/Tensor.h>

namespace heed {

// A dispatch mode is on, or one of the tensors (undefined ones do not count) stands for another: a
// fake one, one of functorch. A call that is not traced may take a function with an autograd of its
// own; a traced one must go through the dispatcher in both directions.
bool is_traced(at::TensorList tensors);

}  // namespace heed
