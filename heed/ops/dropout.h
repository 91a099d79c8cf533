// heed::dropout: x · kept / (1 − p), each element kept with probability 1 − p.
//
// Srivastava et al. 2014. The mask is a hash of a seed and the element's place, made again in the
// backward pass and not kept; it is the same for any number of threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace heed {

// Some columns of a wider tensor: what is dropped of them is what would be dropped of it there.
struct DropoutColumns {
  int64_t first = 0;
  int64_t whole = 0;  // the size of its last dimension; 0: the tensor is whole
};

struct DropoutOptions {
  double probability = 0;        // in [0, 1]; 0: the input itself
  std::optional<uint64_t> seed;  // without: drawn from torch's CPU generator (at::manual_seed)
  DropoutColumns columns = {};   // of which x is a part
};

// Of the shape and dtype of x; differentiable, twice too. float32 and bfloat16 on a CPU by Heed's
// own kernel, everything else by at::dropout, which draws its own mask. Throws UsageError for a
// probability outside [0, 1] and for columns that are not in the wider tensor.
at::Tensor dropout(const at::Tensor& x, const DropoutOptions& options);

// residual + dropout(x) in one pass, of the wider of their dtypes. Throws UsageError where the
// sizes differ.
at::Tensor add_dropout(const at::Tensor& x, const at::Tensor& residual,
                       const DropoutOptions& options);

}  // namespace heed
