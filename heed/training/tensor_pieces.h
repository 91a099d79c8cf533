// Operations on many tensors element by element, shared among Heed's threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <vector>

namespace heed::training {

// Lists of tensors side by side: lists[l][i] all have one size for one i.
using TensorLists = std::vector<std::vector<at::Tensor>>;

// Calls body(piece, first) for pieces of the lists, at the same time and without gradients:
// piece[l] are some tensors of lists[l] one behind the other, the first of them number `first`; of
// a large tensor, a part of it as a vector. Each element comes once, and where a tensor is cut does
// not depend on the number of threads.
void for_each_piece(const TensorLists& lists,
                    const std::function<void(const TensorLists& piece, size_t first)>& body);

}  // namespace heed::training
